//! The page as a whole.

use std::fmt::Write;
use std::time::Duration;

use super::evaluation::Evaluation;
use super::html::{escaped, grouped, number};
use super::{chart, findings};
use crate::layer::{Layer, NamedLayer};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::training::History;

pub(super) fn page<F: Scalar>(
    history: &History,
    title: &str,
    model: Option<&Sequential<F>>,
    evaluation: Option<&Evaluation>,
) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n{}<title>{title}</title>\n<style>\n{}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n",
        // The page needs no network; the browser refuses any request.
        include_str!("head.html"),
        include_str!("style.css"),
        title = escaped(title),
    );
    findings::verdict(&mut html, history.findings());
    tiles(&mut html, history, model);
    let charts = chart::charts(history);
    if !charts.is_empty() {
        let _ = write!(
            html,
            "<section id=\"curves\"><h2>Curves</h2>\n<div class=\"charts\">{charts}</div></section>\n"
        );
    }
    findings::section(&mut html, history.findings());
    if let Some(evaluation) = evaluation {
        evaluation.write(&mut html);
    }
    if let Some(model) = model {
        layers(&mut html, model);
    }
    settings(&mut html, history);
    let _ = write!(html, "</main>\n<script>\n{}</script>\n</body>\n</html>\n", include_str!("script.js"));
    html
}

/// Writes the final numbers of the training.
fn tiles<F: Scalar>(html: &mut String, history: &History, model: Option<&Sequential<F>>) {
    let mut all: Vec<(String, String, String)> = Vec::new();
    for name in history.names().filter(|name| *name != "learning_rate").take(8) {
        let values = history.get(name).unwrap_or_default();
        let epoch = history.epochs_of(name).and_then(|epochs| epochs.last()).map_or(0, |epoch| epoch + 1);
        let first = values.first().copied().unwrap_or(f64::NAN);
        let last = values.last().copied().unwrap_or(f64::NAN);
        let note =
            if values.len() > 1 { format!("{} at first", number(first)) } else { format!("epoch {epoch}") };
        all.push((name.into(), number(last), note));
    }
    let time: Duration = history.times().iter().sum();
    let stopped = history.stopped().map(|reason| escaped(format!("stopped: {reason}"))).unwrap_or_default();
    all.push(("epochs".into(), grouped(history.epochs().len()), stopped));
    all.push(("time".into(), duration(time), String::new()));
    if let Some(model) = model {
        let mut parameters = 0;
        model.walk(&mut |_, _, param| parameters += param.len());
        all.push(("parameters".into(), grouped(parameters), String::new()));
    }
    html.push_str("<section class=\"tiles\">");
    for (name, value, note) in all {
        let name = escaped(name);
        let _ =
            write!(html, "<div class=\"tile\"><span>{name}</span><b>{value}</b><small>{note}</small></div>");
    }
    html.push_str("</section>\n");
}

fn layers<F: Scalar>(html: &mut String, model: &Sequential<F>) {
    html.push_str(
        "<section id=\"model\"><h2>Model</h2>\n<div class=\"scroll\"><table><tr><th>layer<th>kind<th>output<th>parameters</tr>",
    );
    for layer in model.layers() {
        layer_row(html, layer, 0);
    }
    html.push_str("</table></div></section>\n");
}

fn layer_row<F: Scalar>(html: &mut String, layer: &NamedLayer<F>, depth: usize) {
    let mut parameters = 0;
    layer.walk("", &mut |_, _, param| parameters += param.len());
    let shape = layer.output_shape().map(|shape| crate::error::Shape(shape).to_string());
    let activation = layer.activation().map(|f| format!("{f:?}").to_lowercase());
    let shown = activation.filter(|f| *f != "linear" && *f != layer.kind().to_lowercase());
    let activation = shown.map_or(String::new(), |f| format!(", {f}"));
    let _ = write!(
        html,
        "<tr><th style=\"padding-left:{}em\">{}<td>{}{}<td>{}<td>{}</tr>",
        0.6 + 1.2 * depth as f64,
        escaped(layer.label()),
        escaped(layer.kind()),
        escaped(activation),
        escaped(shape.unwrap_or_else(|| "?".into())),
        grouped(parameters)
    );
    layer.layers().iter().for_each(|inner| layer_row(html, inner, depth + 1));
}

fn settings(html: &mut String, history: &History) {
    html.push_str("<section id=\"settings\"><h2>Settings</h2>\n<table class=\"settings\">");
    let mut row = |name: &str, value: &str| {
        let _ = write!(html, "<tr><th>{}<td>{}</tr>", escaped(name), escaped(value));
    };
    history.settings().for_each(|(name, value)| row(name, value));
    row("seed", &history.seed().to_string());
    row("cornu", env!("CARGO_PKG_VERSION"));
    row("system", &format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH));
    html.push_str("</table></section>\n");
}

/// Formats a time in readable units.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 0.01 => format!("{:.1} ms", 1000.0 * s),
        s if s < 1.0 => format!("{:.0} ms", 1000.0 * s),
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
        s => format!("{:.0} h {:.0} min", (s / 3600.0).floor(), s % 3600.0 / 60.0),
    }
}
