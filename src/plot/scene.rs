//! A picture as a list of lines, areas and texts, in pixels of a picture 800 wide.

use super::colour::{Colour, INK};

/// A position in a picture, from its upper left corner.
pub(super) type Point = (f64, f64);

/// The size of normal text.
pub(super) const TEXT: f64 = 15.0;
/// The size of tick labels.
pub(super) const SMALL: f64 = 13.0;

/// The style of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub(super) colour: Colour,
    pub(super) width: f64,
    pub(super) dashed: bool,
}

impl Stroke {
    pub(super) fn new(colour: Colour, width: f64) -> Self {
        Stroke { colour, width, dashed: false }
    }

    pub(super) fn dashed(mut self, dashed: bool) -> Self {
        self.dashed = dashed;
        self
    }
}

/// The part of a text that lies at its position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text, vertically centred on its position.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) at: Point,
    pub(super) text: String,
    pub(super) size: f64,
    pub(super) colour: Colour,
    pub(super) anchor: Anchor,
    /// Rotated to read upwards.
    pub(super) upwards: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Item {
    Line(Vec<Point>, Stroke),
    Area(Vec<Point>, Colour),
    Dot(Point, f64, Colour),
    Text(Text),
}

#[derive(Debug)]
pub(super) struct Scene {
    pub(super) title: String,
    pub(super) size: Point,
    pub(super) items: Vec<Item>,
}

impl Scene {
    /// Creates an empty picture; `title` is its alternative text.
    pub(super) fn new(title: impl Into<String>, size: Point) -> Self {
        Scene { title: title.into(), size, items: Vec::new() }
    }

    pub(super) fn line(&mut self, points: Vec<Point>, stroke: Stroke) {
        if points.len() > 1 {
            self.items.push(Item::Line(points, stroke));
        }
    }

    pub(super) fn rect(&mut self, (left, top): Point, (right, bottom): Point, colour: Colour) {
        self.items.push(Item::Area(vec![(left, top), (right, top), (right, bottom), (left, bottom)], colour));
    }

    pub(super) fn outline(&mut self, (left, top): Point, (right, bottom): Point, stroke: Stroke) {
        self.line(vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], stroke);
    }

    pub(super) fn area(&mut self, points: Vec<Point>, colour: Colour) {
        self.items.push(Item::Area(points, colour));
    }

    pub(super) fn dot(&mut self, at: Point, radius: f64, colour: Colour) {
        self.items.push(Item::Dot(at, radius, colour));
    }

    pub(super) fn text(&mut self, at: Point, text: impl Into<String>, size: f64, anchor: Anchor) {
        self.coloured(at, text, size, anchor, INK);
    }

    pub(super) fn coloured(
        &mut self,
        at: Point,
        text: impl Into<String>,
        size: f64,
        anchor: Anchor,
        colour: Colour,
    ) {
        let text = Text { at, text: plain(text), size, colour, anchor, upwards: false };
        // An empty text would be an empty line in the SVG, which ends it in Markdown.
        self.items.extend((!text.text.is_empty()).then_some(Item::Text(text)));
    }

    /// Adds a centred text that reads upwards.
    pub(super) fn upwards(&mut self, at: Point, text: impl Into<String>, size: f64) {
        let text = Text { at, text: plain(text), size, colour: INK, anchor: Anchor::Middle, upwards: true };
        self.items.push(Item::Text(text));
    }
}

/// Reduces a text to one line of characters that the font has.
fn plain(text: impl Into<String>) -> String {
    text.into().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
