//! Output of a picture as SVG text, or as PNG with two dots per pixel. The font is DejaVu Sans; its Latin, Greek and
//! Cyrillic letters and some signs are part of the crate.

use std::sync::Once;

use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::scene::{Anchor, Item, Scene, Stroke, Text};
use crate::error::{Error, Result};

/// The factor by which lengths are enlarged, so that integers are fine enough for curves and smooth edges.
const FINE: f64 = 4.0;
/// The number of enlarged units per dot of a PNG.
const PER_DOT: usize = 2;
/// The font, and its replacements if an SVG is viewed without it.
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";

fn font(size: f64) -> FontDesc<'static> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // The embedded bytes are a valid font; a test draws with it.
        let _ = register_font(FONT, FontStyle::Normal, include_bytes!("font.ttf"));
    });
    // The backends measure a size larger than the height of an em.
    FontDesc::new(FontFamily::Name(FONT), size * FINE * 1.164, FontStyle::Normal)
}

/// The width of a text.
pub(super) fn width(text: &str, size: f64) -> f64 {
    font(size).box_size(text).map_or(0.0, |(width, _)| f64::from(width) / FINE)
}

/// Truncates a text to this width.
pub(super) fn fitted(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.into();
    }
    let mut chars: Vec<char> = text.chars().collect();
    while chars.len() > 1 {
        chars.pop();
        let cut: String = chars.iter().chain(['…'].iter()).collect();
        if width(&cut, size) <= room {
            return cut;
        }
    }
    "…".into()
}

fn whole((x, y): (f64, f64)) -> (i32, i32) {
    ((x * FINE).round() as i32, (y * FINE).round() as i32)
}

fn size(scene: &Scene) -> (u32, u32) {
    let (width, height) = whole(scene.size);
    // Whole dots of a PNG.
    (width as u32 / 4 * 4, height as u32 / 4 * 4)
}

/// Returns the picture as SVG.
pub(super) fn svg(scene: &Scene) -> Result<String> {
    let (wide, high) = size(scene);
    let mut text = String::new();
    draw(&SVGBackend::with_string(&mut text, (wide, high)).into_drawing_area(), scene, true)?;
    let drawn = format!("width=\"{wide}\" height=\"{high}\"");
    // On a narrower page it shrinks.
    let style = "style=\"max-width:100%;height:auto\"";
    let shown = format!("width=\"{}\" height=\"{}\" role=\"img\" {style}", scene.size.0, scene.size.1);
    let title = scene.title.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replacen(&drawn, &shown, 1);
    Ok(text.replacen('>', &format!(">\n<title>{title}</title>"), 1))
}

/// Returns the picture as PNG.
pub(super) fn png(scene: &Scene) -> Result<Vec<u8>> {
    let (wide, high) = size(scene);
    let mut fine = vec![0; wide as usize * high as usize * 3];
    draw(&BitMapBackend::with_buffer(&mut fine, (wide, high)).into_drawing_area(), scene, false)?;
    let (columns, rows) = (wide as usize / PER_DOT, high as usize / PER_DOT);
    let mut dots = Vec::with_capacity(columns * rows * 3);
    for place in 0..columns * rows * 3 {
        let (row, column, channel) = (place / 3 / columns, place / 3 % columns, place % 3);
        let part = |i: usize| {
            let (y, x) = (row * PER_DOT + i / PER_DOT, column * PER_DOT + i % PER_DOT);
            usize::from(fine[(y * wide as usize + x) * 3 + channel])
        };
        dots.push(((0..PER_DOT * PER_DOT).map(part).sum::<usize>() / (PER_DOT * PER_DOT)) as u8);
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, columns as u32, rows as u32);
    encoder.set_color(png::ColorType::Rgb);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&dots)?;
        writer.finish()
    });
    written.map_err(Error::outside)?;
    Ok(file)
}

fn draw<D: DrawingBackend>(
    area: &DrawingArea<D, plotters::coord::Shift>,
    scene: &Scene,
    is_svg: bool,
) -> Result<()> {
    let drawn = (|| {
        area.fill(&plotters::style::WHITE)?;
        scene.items.iter().try_for_each(|item| draw_item(area, item, is_svg))?;
        area.present()
    })();
    drawn.map_err(|error| Error::outside(std::io::Error::other(error.to_string())))
}

fn draw_item<D: DrawingBackend>(
    area: &DrawingArea<D, plotters::coord::Shift>,
    item: &Item,
    is_svg: bool,
) -> std::result::Result<(), DrawingAreaErrorKind<D::ErrorType>> {
    let rgb = |(r, g, b): super::colour::Colour| RGBColor(r, g, b);
    match item {
        Item::Line(points, stroke) => {
            let points: Vec<_> = points.iter().map(|point| whole(*point)).collect();
            draw_line(area, points, *stroke, is_svg)
        }
        Item::Area(points, colour) => {
            let points: Vec<_> = points.iter().map(|point| whole(*point)).collect();
            match *points {
                [from, _, to, _] if from.0 <= to.0 && points[1] == (to.0, from.1) => {
                    area.draw(&Rectangle::new([from, to], rgb(*colour).filled()))
                }
                _ => area.draw(&Polygon::new(points, rgb(*colour).filled())),
            }
        }
        Item::Dot(at, radius, colour) => {
            area.draw(&Circle::new(whole(*at), (radius * FINE) as i32, rgb(*colour).filled()))
        }
        Item::Text(Text { at, text, size, colour, anchor, upwards }) => {
            let anchor = match anchor {
                Anchor::Start => HPos::Left,
                Anchor::Middle => HPos::Center,
                Anchor::End => HPos::Right,
            };
            let turn = if *upwards { FontTransform::Rotate270 } else { FontTransform::None };
            let colour = rgb(*colour);
            let style = TextStyle::from(font(*size)).color(&colour);
            let style = style.pos(Pos::new(anchor, VPos::Center)).transform(turn);
            area.draw_text(text, &style, whole(*at))
        }
    }
}

fn draw_line<D: DrawingBackend>(
    area: &DrawingArea<D, plotters::coord::Shift>,
    points: Vec<(i32, i32)>,
    stroke: Stroke,
    is_svg: bool,
) -> std::result::Result<(), DrawingAreaErrorKind<D::ErrorType>> {
    let (r, g, b) = stroke.colour;
    let width = (stroke.width * FINE).round().max(1.0) as u32;
    let style = ShapeStyle::from(&RGBColor(r, g, b)).stroke_width(width);
    for part in if stroke.dashed { dashes(&points, 6.0 * FINE, 4.0 * FINE) } else { vec![points] } {
        if is_svg {
            area.draw(&PathElement::new(part, style))?;
            continue;
        }
        // Draw each segment alone with round corners: thick paths of the bitmap backend have gaps at sharp corners.
        for ends in part.windows(2) {
            area.draw(&PathElement::new(ends.to_vec(), style))?;
        }
        for corner in part.iter().skip(1).take(part.len().saturating_sub(2)).filter(|_| width > 2) {
            area.draw(&Circle::new(*corner, width as i32 / 2, style.filled()))?;
        }
    }
    Ok(())
}

/// Splits a line into dashes.
fn dashes(points: &[(i32, i32)], dash: f64, gap: f64) -> Vec<Vec<(i32, i32)>> {
    let (mut parts, mut part, mut on, mut left) = (Vec::new(), Vec::new(), true, dash);
    for ends in points.windows(2) {
        let ((x, y), (to_x, to_y)) = (ends[0], ends[1]);
        let (along, across) = (f64::from(to_x - x), f64::from(to_y - y));
        let length = along.hypot(across);
        let at = |way: f64| {
            (x + (along * way / length).round() as i32, y + (across * way / length).round() as i32)
        };
        let mut way = 0.0;
        if on && part.is_empty() {
            part.push((x, y));
        }
        while way + left < length {
            way += left;
            match on {
                true => {
                    part.push(at(way));
                    parts.push(std::mem::take(&mut part));
                }
                false => part.push(at(way)),
            }
            (on, left) = (!on, if on { gap } else { dash });
        }
        left -= length - way;
        if on {
            part.push((to_x, to_y));
        }
    }
    parts.extend((part.len() > 1).then_some(part));
    parts
}
