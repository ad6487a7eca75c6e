//! Charts that show their values under the pointer; without the script they are still complete.

use std::fmt::Write;

use serde_json::json;

use super::html::escaped;
use crate::axis::AxisScale;
use crate::training::History;

/// The maximum number of points of a line; longer lines are thinned evenly.
const MOST: usize = 4000;
/// The internal width of a chart, which is scaled to the page.
const WIDE: f64 = 1000.0;

/// A line: its name, its CSS class, and its points.
struct ChartLine<'a> {
    name: &'a str,
    class: &'a str,
    points: Vec<(f64, f64)>,
}

/// Returns all charts of a training: the loss, each metric, and the learning rate if it changes.
pub(super) fn charts(history: &History) -> String {
    let points = |name: &str| -> Option<Vec<(f64, f64)>> {
        let pairs = history.epochs_of(name)?.iter().zip(history.get(name)?);
        Some(pairs.map(|(epoch, value)| ((epoch + 1) as f64, *value)).collect())
    };
    let mut html = String::new();
    for name in history.names().filter(|name| !name.starts_with("val_") && *name != "learning_rate") {
        let both = [("training", "a", name.to_string()), ("validation", "b", format!("val_{name}"))];
        let lines = both.into_iter().filter_map(|(what, class, key)| Some((what, class, points(&key)?)));
        let lines: Vec<ChartLine> =
            lines.map(|(name, class, points)| ChartLine { name, class, points }).collect();
        chart(&mut html, history, name, &lines);
    }
    let rates = history.learning_rates();
    if rates.windows(2).any(|pair| pair[0] != pair[1]) {
        let points = history.epochs().iter().zip(rates).map(|(epoch, rate)| ((epoch + 1) as f64, *rate));
        let line = ChartLine { name: "at the start of the epoch", class: "c", points: points.collect() };
        chart(&mut html, history, "learning rate", &[line]);
    }
    html
}

fn chart(html: &mut String, history: &History, name: &str, lines: &[ChartLine]) {
    let (Some(first), Some(last)) = (history.epochs().first(), history.epochs().last()) else { return };
    let x = AxisScale::whole((first + 1) as f64, (last + 1) as f64);
    let y = AxisScale::of(lines.iter().flat_map(|line| line.points.iter().map(|point| point.1))).with_zero();
    let y = if history.restored_epoch().is_some() { y.with_head_room() } else { y };
    let place = |(at, value): (f64, f64)| (WIDE * x.place(at), WIDE * (1.0 - y.place(value)));
    let log = if y.is_log() { " <small>(log)</small>" } else { "" };
    let _ = write!(html, "<figure class=\"chart\"><figcaption><b>{}</b>{log}", escaped(name));
    for line in lines {
        let _ = write!(html, " <span class=\"key {}\">{}</span>", line.class, escaped(line.name));
    }
    html.push_str("</figcaption><div class=\"frame\"><div class=\"ys\">");
    for (tick, text) in y.ticks(4) {
        let _ = write!(html, "<span style=\"top:{:.2}%\">{text}</span>", 100.0 * (1.0 - y.place(tick)));
    }
    let _ = write!(
        html,
        "</div><div class=\"area\" tabindex=\"0\" role=\"img\" aria-label=\"{} by epoch\"><svg viewBox=\"0 0 {WIDE} {WIDE}\" preserveAspectRatio=\"none\">",
        escaped(name)
    );
    for (tick, _) in y.ticks(4) {
        let height = WIDE * (1.0 - y.place(tick));
        let _ = write!(html, "<path class=\"grid\" d=\"M0 {height:.1}H{WIDE}\"/>");
    }
    for line in lines {
        let _ = write!(html, "<path class=\"line {}\" d=\"{}\"/>", line.class, path(&line.points, place));
    }
    html.push_str("</svg>");
    for line in lines {
        // A point without neighbours is not a line.
        let alone = |part: &&[(f64, f64)]| part.len() == 1;
        for part in line.points.split(|point| !point.1.is_finite()).filter(alone) {
            let (left, top) = place(part[0]);
            let _ = write!(
                html,
                "<i class=\"dot {}\" style=\"left:{:.2}%;top:{:.2}%\"></i>",
                line.class,
                left / 10.0,
                top / 10.0
            );
        }
    }
    if let Some(epoch) = history.restored_epoch() {
        let left = 100.0 * x.place((epoch + 1) as f64);
        let side = if left > 50.0 { " before" } else { "" };
        let _ = write!(
            html,
            "<div class=\"mark{side}\" style=\"left:{left:.2}%\"><span>restored: epoch {}</span></div>",
            epoch + 1
        );
    }
    html.push_str("</div><div class=\"xs\">");
    for (tick, text) in x.ticks(5) {
        let _ = write!(html, "<span style=\"left:{:.2}%\">{text}</span>", 100.0 * x.place(tick));
    }
    html.push_str("</div></div><div class=\"axis\">epoch</div>");
    if let Some((epoch, value)) =
        lines.iter().flat_map(|line| &line.points).find(|point| !point.1.is_finite())
    {
        let _ = write!(html, "<p class=\"bad\">{value} in epoch {epoch}</p>");
    }
    let _ = writeln!(html, "<script type=\"application/json\">{}</script></figure>", data(x, lines));
}

/// The SVG path of a line, broken at values that are not finite and no finer than visible.
fn path(points: &[(f64, f64)], place: impl Fn((f64, f64)) -> (f64, f64)) -> String {
    let mut d = String::new();
    for part in points.split(|point| !point.1.is_finite()) {
        // In each of a thousand columns: the first, the lowest, the highest and the last point.
        let places: Vec<(f64, f64)> = part.iter().map(|point| place(*point)).collect();
        let column = |a: &(f64, f64), b: &(f64, f64)| a.0.floor() == b.0.floor();
        let mut start = true;
        for few in places.chunk_by(column) {
            let by_height = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
            let ends = [few.first(), few.iter().max_by(by_height), few.iter().min_by(by_height), few.last()];
            for (left, top) in ends.into_iter().flatten().take(if few.len() == 1 { 1 } else { 4 }) {
                let _ = write!(d, "{}{left:.1} {top:.1}", if start { 'M' } else { 'L' });
                start = false;
            }
        }
    }
    d
}

/// The data of the script: the epochs, their positions, and the values of each line, `null` if missing.
fn data(x: AxisScale, lines: &[ChartLine]) -> String {
    let mut epochs: Vec<f64> =
        lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)).collect();
    epochs.sort_by(f64::total_cmp);
    epochs.dedup();
    let every = epochs.len().div_ceil(MOST).max(1);
    let last = epochs.len().saturating_sub(1);
    let kept: Vec<f64> = epochs
        .iter()
        .enumerate()
        .filter(|(i, _)| i.is_multiple_of(every) || *i == last)
        .map(|(_, epoch)| *epoch)
        .collect();
    let lines = lines.iter().map(|line| {
        let mut points = line.points.iter().peekable();
        let values = kept.iter().map(|epoch| {
            while points.next_if(|point| point.0 < *epoch).is_some() {}
            let value = points.peek().filter(|point| point.0 == *epoch).map(|point| point.1);
            value.map(super::html::number)
        });
        json!({ "name": line.name, "class": line.class, "values": values.collect::<Vec<_>>() })
    });
    let lines: Vec<_> = lines.collect();
    let places = kept.iter().map(|epoch| (1e5 * x.place(*epoch)).round() / 1e5);
    let places: Vec<f64> = places.collect();
    let epochs: Vec<u64> = kept.iter().map(|epoch| *epoch as u64).collect();
    // Inside a script element, `<` could end the element.
    json!({ "epochs": epochs, "places": places, "lines": lines }).to_string().replace('<', "\\u003c")
}
