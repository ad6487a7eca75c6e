//! A pair of axes with labels, ticks and grid, and the lines between them.

use super::colour::{Colour, FAINT, GRID, INK, WHITE};
use super::ink::width;
use super::scene::{Anchor, Point, SMALL, Scene, Stroke, TEXT};
use crate::axis::AxisScale;

/// An axis: its name and the numbers that it spans.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChartAxis<'a> {
    pub(super) name: &'a str,
    pub(super) scale: AxisScale,
}

/// The position of axes in a picture, and their ranges.
#[derive(Debug)]
pub(super) struct Axes {
    from: Point,
    to: Point,
    x: AxisScale,
    y: AxisScale,
}

impl Axes {
    /// Draws labelled axes with ticks into the box between two corners.
    pub(super) fn draw(
        scene: &mut Scene,
        (left, top): Point,
        (right, bottom): Point,
        x: ChartAxis,
        y: ChartAxis,
    ) -> Self {
        Axes::aligned(scene, (left, top), (right, bottom), x, y, room(y.scale, bottom - top))
    }

    /// Draws axes with this space for the ticks on the left, to align several axes.
    pub(super) fn aligned(
        scene: &mut Scene,
        (left, top): Point,
        (right, bottom): Point,
        x: ChartAxis,
        y: ChartAxis,
        widest: f64,
    ) -> Self {
        let y_ticks = y.scale.ticks(((bottom - top) / 45.0) as usize);
        let (from, to) = ((left + widest + 36.0, top), (right - 22.0, bottom - 48.0));
        let axes = Axes { from, to, x: x.scale, y: y.scale };
        let log = |axis: ChartAxis| match axis.scale.is_log() {
            true => format!("{} (log)", axis.name),
            false => axis.name.to_string(),
        };
        for (tick, text) in &y_ticks {
            let height = axes.at_y(*tick);
            scene.line(vec![(from.0, height), (to.0, height)], Stroke::new(GRID, 1.0));
            scene.text((from.0 - 8.0, height), text, SMALL, Anchor::End);
        }
        for (tick, text) in x.scale.ticks(((to.0 - from.0) / 75.0) as usize) {
            let place = axes.at_x(tick);
            scene.line(vec![(place, from.1), (place, to.1)], Stroke::new(GRID, 1.0));
            scene.text((place, to.1 + 14.0), text, SMALL, Anchor::Middle);
        }
        scene.line(vec![from, (from.0, to.1), to], Stroke::new(FAINT, 1.2));
        scene.text(((from.0 + to.0) / 2.0, to.1 + 35.0), log(x), TEXT, Anchor::Middle);
        scene.upwards((left + 12.0, (from.1 + to.1) / 2.0), log(y), TEXT);
        axes
    }

    /// Returns the position of these numbers in the picture.
    pub(super) fn at(&self, x: f64, y: f64) -> Point {
        (self.at_x(x), self.at_y(y))
    }

    pub(super) fn at_x(&self, x: f64) -> f64 {
        let (left, right) = (self.from.0, self.to.0);
        left + self.x.place(x) * (right - left)
    }

    fn at_y(&self, y: f64) -> f64 {
        let (top, bottom) = (self.from.1, self.to.1);
        (bottom + self.y.place(y) * (top - bottom)).clamp(top - 4000.0, bottom + 4000.0)
    }

    pub(super) fn corners(&self) -> (Point, Point) {
        (self.from, self.to)
    }

    /// Draws a line through these points, broken at values that are not finite; isolated points, or all if `dots`,
    /// become dots.
    pub(super) fn line(&self, scene: &mut Scene, points: &[Point], stroke: Stroke, dots: bool) {
        for part in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
            let places: Vec<Point> = part.iter().map(|(x, y)| self.at(*x, *y)).collect();
            if dots || places.len() == 1 {
                places.iter().for_each(|place| scene.dot(*place, 1.6 + stroke.width, stroke.colour));
            }
            scene.line(thinned(places), stroke);
        }
    }

    /// Draws a vertical line with a text next to its upper end.
    pub(super) fn mark(&self, scene: &mut Scene, x: f64, text: &str) {
        let place = self.at_x(x);
        scene.line(vec![(place, self.from.1), (place, self.to.1)], Stroke::new(INK, 1.3).dashed(true));
        let fits = place + width(text, SMALL) + 6.0 < self.to.0;
        let (anchor, side) = if fits { (Anchor::Start, 5.0) } else { (Anchor::End, -5.0) };
        let (from, wide) = (place + side, width(text, SMALL) * side.signum());
        let (left, right) = (from.min(from + wide), from.max(from + wide));
        scene.rect((left - 2.0, self.from.1 + 1.0), (right + 2.0, self.from.1 + 18.0), WHITE);
        scene.text((from, self.from.1 + 9.0), text, SMALL, anchor);
    }
}

/// The width of the ticks on the left of axes of this height.
pub(super) fn room(y: AxisScale, height: f64) -> f64 {
    y.ticks((height / 45.0) as usize).iter().map(|(_, text)| width(text, SMALL)).fold(0.0, f64::max)
}

/// Thins points to a few per pixel column: the first, lowest, highest and last.
fn thinned(points: Vec<Point>) -> Vec<Point> {
    if points.len() < 3000 {
        return points;
    }
    let same = |a: &Point, b: &Point| a.0.floor() == b.0.floor();
    let mut few = Vec::new();
    for part in points.chunk_by(same) {
        let by_height = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
        few.extend(part.first());
        few.extend(part.iter().min_by(by_height));
        few.extend(part.iter().max_by(by_height));
        few.extend(part.last());
    }
    few
}

/// Draws a legend from the left and returns its number of rows.
pub(super) fn legend(
    scene: &mut Scene,
    (left, top): Point,
    right: f64,
    entries: &[(String, Colour, Option<Stroke>)],
) -> usize {
    let wide = |name: &str| width(name, SMALL) + 46.0;
    let total: f64 = entries.iter().map(|(name, ..)| wide(name)).sum();
    // In columns, if one row is not enough.
    let column = entries.iter().map(|(name, ..)| wide(name)).fold(0.0, f64::max);
    let (mut x, mut row) = (left, 0);
    for (name, colour, stroke) in entries {
        let wide = if left + total > right { column } else { wide(name) };
        if x + wide > right && x > left {
            (x, row) = (left, row + 1);
        }
        let y = top + 20.0 * row as f64;
        match stroke {
            Some(stroke) => scene.line(vec![(x, y), (x + 24.0, y)], *stroke),
            None => scene.rect((x + 6.0, y - 6.0), (x + 18.0, y + 6.0), *colour),
        }
        scene.text((x + 30.0, y), name, SMALL, Anchor::Start);
        x += wide;
    }
    row + 1
}
