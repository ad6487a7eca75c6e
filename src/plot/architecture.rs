//! Diagrams of the layers of a model, as pictures and as Graphviz text.

use std::fmt::Write;
use std::path::Path;

use super::colour::{Colour, FAINT, INK, WHITE, blend, line};
use super::ink::{fitted, width};
use super::save;
use super::scene::{Anchor, SMALL, Scene, Stroke, TEXT};
use crate::error::Result;
use crate::layer::{Layer, NamedLayer, Topology};
use crate::model::{InputShape, Sequential};
use crate::scalar::Scalar;

const WIDTH: f64 = 800.0;
const BOX: f64 = 46.0;
const GAP: f64 = 22.0;

impl<F: Scalar> Sequential<F> {
    /// Draws the layers from input to output, with name, kind, activation, output shape and number of parameters.
    ///
    /// A layer that contains others is a frame around them. The extension selects the format: `.svg`, `.png`, or
    /// `.dot` for Graphviz text.
    ///
    /// # Errors
    /// [`FileError::Extension`](crate::error::FileError::Extension), [`FileError::Io`](crate::error::FileError::Io).
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([64]).add(Dense::new(10).name("F1")).add(Softmax::new());
    /// model.build()?;
    /// let path = std::env::temp_dir().join("cornu-example-model.svg");
    /// model.plot(&path)?;
    /// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("F1")));
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("dot")) {
            return crate::save::atomic::save(path, |to| to.write_all(self.to_dot().as_bytes()));
        }
        save(path, &scene(self))
    }

    /// Returns the layers as a Graphviz graph, which `dot -Tsvg` draws.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let model = Sequential::new().input([64]).add(Dense::new(10).name("F1"));
    /// assert!(model.to_dot().contains("input -> n0"));
    /// ```
    ///
    /// # References
    /// <https://graphviz.org/doc/info/lang.html>
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph model {\n  graph [fontname=\"sans-serif\", labeljust=l];\n");
        dot += "  node [shape=box, fontname=\"sans-serif\"];\n";
        let input = self.input_axes().map_or("?".into(), |shape| shape.to_string());
        let _ = writeln!(dot, "  input [label={}, shape=plain];", quoted(&format!("input {input}")));
        let mut count = 0;
        chain(&mut dot, &self.layers, "input".into(), &mut count, 1);
        dot + "}\n"
    }
}

/// Writes layers one after another and returns the name of the last.
fn chain<F: Scalar>(
    dot: &mut String,
    layers: &[NamedLayer<F>],
    from: String,
    count: &mut usize,
    depth: usize,
) -> String {
    let indent = "  ".repeat(depth);
    let mut last = from;
    for layer in layers {
        let name = format!("n{count}");
        *count += 1;
        let label = format!("{}\n{}", words(layer), numbers(layer));
        if layer.layers().is_empty() {
            let _ = writeln!(dot, "{indent}{name} [label={}];\n{indent}{last} -> {name};", quoted(&label));
            last = name;
            continue;
        }
        let _ = writeln!(
            dot,
            "{indent}{name} [label=\"\", shape=point];\n{indent}{last} -> {name};\n{indent}subgraph cluster_{name} {{\n{indent}  label={};",
            // On the left, where no arrow passes.
            quoted(&(label + "\n")).replace("\\n", "\\l")
        );
        let inner: Vec<String> = (lanes(layer).into_iter())
            .map(|layers| chain(dot, layers, name.clone(), count, depth + 1))
            .collect();
        let end = format!("n{count}");
        *count += 1;
        let topology = layer.traits().topology;
        if matches!(topology, Topology::Residual | Topology::Shortcut) {
            let _ = writeln!(dot, "{indent}  {end} [label=\"+\", shape=circle];");
        } else {
            let _ = writeln!(dot, "{indent}  {end} [label=\"\", shape=point];");
        }
        if topology == Topology::Residual {
            let _ = writeln!(dot, "{indent}  {name} -> {end};");
        }
        for inner in inner {
            let _ = writeln!(dot, "{indent}  {inner} -> {end};");
        }
        let _ = writeln!(dot, "{indent}}}");
        last = end;
    }
    last
}

fn quoted(text: &str) -> String {
    let plain = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{plain}\"")
}

/// The name, kind and activation of a layer.
fn words<F: Scalar>(layer: &NamedLayer<F>) -> String {
    let activation = layer.activation().map(|activation| format!("{activation:?}").to_lowercase());
    let shown = activation.filter(|name| *name != "linear" && *name != layer.kind().to_lowercase());
    let activation = shown.map_or(String::new(), |name| format!(", {name}"));
    format!("{} ({}{activation})", layer.label(), layer.kind())
}

/// The output shape and number of parameters of a layer.
fn numbers<F: Scalar>(layer: &NamedLayer<F>) -> String {
    let mut count = 0;
    layer.walk("", &mut |_, _, param| count += param.len());
    let shape = layer.output_axes().map_or("?".into(), |axes| InputShape::from(axes).to_string());
    match count {
        0 => shape,
        count => format!("{shape}   {count} parameters"),
    }
}

/// The colour of a kind: with weights, normalizing or random, or reshaping.
fn colour<F: Scalar>(layer: &NamedLayer<F>) -> Colour {
    let mut has_weights = false;
    layer.walk("", &mut |_, _, param| has_weights |= param.is_trainable());
    let strong = match (has_weights, layer.is_view()) {
        (true, _) => line(0).0,
        (false, true) => FAINT,
        (false, false) => line(4).0,
    };
    blend(WHITE, strong, 0.18)
}

/// The chains of inner layers, which all read the input of this layer.
fn lanes<F: Scalar>(layer: &NamedLayer<F>) -> Vec<&[NamedLayer<F>]> {
    let layers = layer.layers();
    match layer.traits().topology {
        Topology::Parallel => layers.chunks(1).collect(),
        Topology::Shortcut => <[_; 2]>::from(layers.split_at(layers.len().saturating_sub(1))).to_vec(),
        Topology::Sequence | Topology::Residual => vec![layers],
    }
}

/// The height of a layer with the arrow below it.
fn height<F: Scalar>(layer: &NamedLayer<F>) -> f64 {
    if layer.layers().is_empty() {
        return BOX + GAP;
    }
    let lanes = lanes(layer).into_iter().map(|layers| layers.iter().map(height).sum());
    34.0 + GAP + lanes.fold(0.0, f64::max) + GAP
}

fn scene<F: Scalar>(model: &Sequential<F>) -> Scene {
    let total: f64 = model.layers.iter().map(height).sum();
    let mut scene = Scene::new("Layers of a model", (WIDTH, (44.0 + GAP + total + 14.0).ceil()));
    let input = model.input_axes().map_or("?".into(), |shape| shape.to_string());
    scene.text((WIDTH / 2.0, 20.0), format!("input {input}"), TEXT, Anchor::Middle);
    let mut top = 34.0;
    for layer in &model.layers {
        arrow(&mut scene, WIDTH / 2.0, top, top + GAP);
        draw(&mut scene, layer, top + GAP, WIDTH / 2.0, 400.0);
        top += height(layer);
    }
    scene
}

/// Draws a layer downwards from this height, centred and with this width.
fn draw<F: Scalar>(scene: &mut Scene, layer: &NamedLayer<F>, top: f64, middle: f64, wide: f64) {
    let (left, right) = (middle - wide / 2.0, middle + wide / 2.0);
    let bottom = top + height(layer) - GAP;
    let (words, numbers) = (words(layer), numbers(layer));
    if layer.layers().is_empty() {
        scene.rect((left, top), (right, bottom), colour(layer));
        scene.outline((left, top), (right, bottom), Stroke::new(INK, 1.2));
        scene.text((middle, top + 15.0), fitted(&words, TEXT, wide - 10.0), TEXT, Anchor::Middle);
        scene.text((middle, top + 33.0), fitted(&numbers, SMALL, wide - 10.0), SMALL, Anchor::Middle);
        return;
    }
    scene.outline((left, top), (right, bottom), Stroke::new(FAINT, 1.2).dashed(true));
    let words = fitted(&words, SMALL, wide - 30.0);
    let room = wide - width(&words, SMALL) - 40.0;
    scene.text((left + 8.0, top + 14.0), words, SMALL, Anchor::Start);
    if width(&numbers, SMALL) < room {
        scene.coloured((right - 8.0, top + 14.0), numbers, SMALL, Anchor::End, FAINT);
    }
    let lanes = lanes(layer);
    let mut inner = top + 34.0;
    if lanes.len() > 1 {
        let each = (wide - 20.0) / lanes.len() as f64;
        for (place, layers) in lanes.into_iter().enumerate() {
            let middle = left + 10.0 + each * (place as f64 + 0.5);
            let mut inner = inner;
            for child in layers {
                arrow(scene, middle, inner, inner + GAP);
                draw(scene, child, inner + GAP, middle, each - 10.0);
                inner += height(child);
            }
            scene.line(vec![(middle, inner), (middle, bottom)], Stroke::new(INK, 1.4));
        }
        return;
    }
    for child in layer.layers() {
        arrow(scene, middle, inner, inner + GAP);
        draw(scene, child, inner + GAP, middle, wide - 70.0);
        inner += height(child);
    }
    arrow(scene, middle, inner, bottom);
    if layer.traits().topology == Topology::Residual {
        let side = right - 14.0;
        let (start, end) = (top + 34.0 + 4.0, inner + GAP / 2.0);
        let way = vec![(middle, start), (side, start), (side, end), (middle + 8.0, end)];
        scene.line(way, Stroke::new(FAINT, 1.4));
        scene.dot((middle, end), 8.0, FAINT);
        scene.coloured((middle, end), "+", TEXT, Anchor::Middle, WHITE);
    }
}

/// Draws an arrow downwards.
fn arrow(scene: &mut Scene, middle: f64, from: f64, to: f64) {
    scene.line(vec![(middle, from), (middle, to - 6.0)], Stroke::new(INK, 1.4));
    scene.area(vec![(middle - 4.5, to - 8.0), (middle + 4.5, to - 8.0), (middle, to)], INK);
}
