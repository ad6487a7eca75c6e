//! The page as a whole: the values of its templates, and their environment.
//!
//! `minijinja` fills the templates in the folder of the style sheet. Values are escaped unless they are marked as safe:
//! charts, drawings, and the rendered pages of findings.

use std::time::Duration;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::evaluation::EvaluationSection;
use super::html::{count, escaped, grouped, number};
use super::{chart, findings};
use crate::error::{Error, Result};
use crate::layer::{Layer, NamedLayer};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::training::History;

const TEMPLATES: [(&str, &str); 5] = [
    ("page.html", include_str!("templates/page.html")),
    // The page needs no network; the browser refuses any request.
    ("head.html", include_str!("templates/head.html")),
    ("verdict.html", include_str!("templates/verdict.html")),
    ("findings.html", include_str!("templates/findings.html")),
    ("evaluation.html", include_str!("templates/evaluation.html")),
];

pub(super) fn page<F: Scalar>(
    history: &History,
    title: &str,
    model: Option<&Sequential<F>>,
    evaluation: Option<&EvaluationSection>,
) -> Result<String> {
    let page = context! {
        title => title,
        style => Value::from_safe_string(include_str!("templates/style.css").into()),
        script => Value::from_safe_string(include_str!("templates/script.js").into()),
        tiles => tiles(history, model),
        charts => Value::from_safe_string(chart::charts(history)),
        evaluation => evaluation.map(EvaluationSection::context),
        layers => model.map(layers),
        settings => settings(history),
        ..findings::context(history.findings())
    };
    environment().and_then(|all| all.get_template("page.html")?.render(page)).map_err(Error::outside)
}

/// Returns the templates with their filters.
fn environment() -> std::result::Result<Environment<'static>, minijinja::Error> {
    let mut all = Environment::new();
    all.set_syntax(SyntaxConfig::builder().trim_blocks(true).build()?);
    all.set_undefined_behavior(UndefinedBehavior::Strict);
    all.set_auto_escape_callback(|_| AutoEscape::Html);
    all.set_formatter(|to, _, value| {
        let text = value.to_string();
        Ok(to.write_str(&if value.is_safe() { text } else { escaped(text) })?)
    });
    all.add_filter("number", number);
    all.add_filter("count", count);
    all.add_filter("grouped", grouped);
    all.add_filter("marked", |text: String| Value::from_safe_string(marked(&text)));
    for (name, text) in TEMPLATES {
        all.add_template(name, text)?;
    }
    Ok(all)
}

/// Marks up parts between backticks as code.
fn marked(text: &str) -> String {
    let part = |(place, part): (usize, &str)| match place % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", escaped(part)),
    };
    text.split('`').enumerate().map(part).collect()
}

/// Returns the final numbers of the training.
fn tiles<F: Scalar>(history: &History, model: Option<&Sequential<F>>) -> Vec<Value> {
    let tile =
        |name: &str, value: String, note: String| context! { name => name, value => value, note => note };
    let mut all = Vec::new();
    for name in history.names().filter(|name| *name != "learning_rate").take(8) {
        let values = history.get(name).unwrap_or_default();
        let epoch = history.epochs_of(name).and_then(|epochs| epochs.last()).map_or(0, |epoch| epoch + 1);
        let (first, last) = match *values {
            [] => continue,
            [only] => (None, only),
            [first, .., last] => (Some(first), last),
        };
        let note =
            first.map_or_else(|| format!("epoch {epoch}"), |first| format!("{} at first", number(first)));
        all.push(tile(name, number(last), note));
    }
    let time: Duration = history.times().iter().sum();
    let stopped = history.stopped().map(|reason| format!("stopped: {reason}")).unwrap_or_default();
    all.push(tile("epochs", grouped(history.epochs().len()), stopped));
    all.push(tile("time", duration(time), String::new()));
    if let Some(model) = model {
        let mut parameters = 0;
        model.walk(&mut |_, _, param| parameters += param.len());
        all.push(tile("parameters", grouped(parameters), String::new()));
    }
    all
}

fn layers<F: Scalar>(model: &Sequential<F>) -> Vec<Value> {
    let mut all = Vec::new();
    model.layers().iter().for_each(|layer| add_layer(&mut all, layer, 0));
    all
}

fn add_layer<F: Scalar>(all: &mut Vec<Value>, layer: &NamedLayer<F>, depth: usize) {
    let mut parameters = 0;
    layer.walk("", &mut |_, _, param| parameters += param.len());
    let shape = layer.output_axes().map(|axes| crate::InputShape::from(axes).to_string());
    let activation = layer.activation().map(|f| format!("{f:?}").to_lowercase());
    let shown = activation.filter(|f| *f != "linear" && *f != layer.kind().to_lowercase());
    let activation = shown.map_or(String::new(), |f| format!(", {f}"));
    all.push(context! {
        indent => format!("{}", 0.6 + 1.2 * depth as f64),
        name => layer.label().to_string(),
        kind => format!("{}{activation}", layer.kind()),
        output => shape.unwrap_or_else(|| "?".into()),
        parameters => parameters,
    });
    layer.layers().iter().for_each(|inner| add_layer(all, inner, depth + 1));
}

fn settings(history: &History) -> Vec<Value> {
    let row = |name: &str, value: &str| context! { name => name, value => value };
    let mut all: Vec<Value> = history.settings().map(|(name, value)| row(name, value)).collect();
    all.push(row("seed", &history.seed().to_string()));
    all.push(row("cornu", env!("CARGO_PKG_VERSION")));
    all.push(row("system", &format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH)));
    all
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
