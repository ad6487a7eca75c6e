//! Charts of lines, dots and bands, such as a forecast with measurements, or predictions with intervals.

use std::path::Path;

use num_traits::AsPrimitive;

use super::axes::{Axes, ChartAxis, legend};
use super::colour::{Colour, WHITE, blend, line};
use super::ink::fitted;
use super::save;
use super::scene::{Point, SMALL, Scene, Stroke};
use crate::axis::AxisScale;
use crate::error::{Error, Result};

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 420.0;

/// A chart of lines, dots and bands over one pair of axes, each with an optional name in the legend.
///
/// Later items are drawn over earlier ones; an empty name has no legend entry.
///
/// # Example
/// ```
/// use cornu::plot::Chart;
/// let years = 2000..2024;
/// let path = std::env::temp_dir().join("cornu-example-chart.svg");
/// Chart::new("year", "height (cm)")
///     .band("90 % interval", years.clone().map(|t| (t, 0.9 * f64::from(t - 1990), 1.2 * f64::from(t - 1990))))
/// .line("forecast", years.clone().map(|t| (t, t - 1990)))
///     .dots("measured", years.map(|t| (t, t - 1990 + t % 3)))
///     .plot(&path)?;
/// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("height (cm)")));
/// # std::fs::remove_file(&path).map_err(cornu::Error::outside)?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    names: [String; 2],
    log_x: bool,
    parts: Vec<Series>,
}

#[derive(Debug, Clone, PartialEq)]
struct Series {
    name: String,
    kind: SeriesKind,
    /// For a band, the upper edge forwards and the lower edge backwards.
    points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum SeriesKind {
    Line,
    Dots,
    Band,
}

impl Chart {
    /// Creates an empty chart with these axis labels, which should include units.
    pub fn new(x: impl Into<String>, y: impl Into<String>) -> Self {
        Chart { names: [x.into(), y.into()], log_x: false, parts: Vec::new() }
    }

    /// Makes the x axis logarithmic if all x are positive. Default: only if they span more than three powers of ten.
    pub fn log_x(mut self) -> Self {
        self.log_x = true;
        self
    }

    /// Adds a line through points `(x, y)`, broken at values that are not finite.
    pub fn line<X: AsPrimitive<f64>, Y: AsPrimitive<f64>>(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (X, Y)>,
    ) -> Self {
        self.part(
            name.into(),
            SeriesKind::Line,
            points.into_iter().map(|(x, y)| (x.as_(), y.as_())).collect(),
        )
    }

    /// Adds dots at points `(x, y)`.
    pub fn dots<X: AsPrimitive<f64>, Y: AsPrimitive<f64>>(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (X, Y)>,
    ) -> Self {
        self.part(
            name.into(),
            SeriesKind::Dots,
            points.into_iter().map(|(x, y)| (x.as_(), y.as_())).collect(),
        )
    }

    /// Adds the area between two lines, from `(x, low, high)`.
    pub fn band<X: AsPrimitive<f64>, Y: AsPrimitive<f64>>(
        self,
        name: impl Into<String>,
        edges: impl IntoIterator<Item = (X, Y, Y)>,
    ) -> Self {
        let edges: Vec<[f64; 3]> =
            edges.into_iter().map(|(x, low, high)| [x.as_(), low.as_(), high.as_()]).collect();
        let finite = edges.iter().filter(|edge| edge.iter().all(|value| value.is_finite()));
        let there = finite.clone().map(|[x, _, high]| (*x, *high));
        let points = there.chain(finite.clone().rev().map(|[x, low, _]| (*x, *low))).collect();
        self.part(name.into(), SeriesKind::Band, points)
    }

    fn part(mut self, name: String, kind: SeriesKind, points: Vec<Point>) -> Self {
        self.parts.push(Series { name, kind, points });
        self
    }

    /// Draws the chart to an `.svg` or `.png` file.
    ///
    /// # Errors
    /// [`FileError::Extension`](crate::error::FileError::Extension), [`FileError::Io`](crate::error::FileError::Io);
    /// [`Error::Empty`] if no point is finite.
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<()> {
        let points = || self.parts.iter().flat_map(|part| &part.points);
        if !points().any(|(x, y)| x.is_finite() && y.is_finite()) {
            return Err(Error::Empty { argument: "points".into(), shape: vec![0] });
        }
        let strokes: Vec<Stroke> = (0..self.parts.len())
            .map(|place| {
                // Several lines differ by more than their colour.
                Stroke::new(line(place).0, 2.0).dashed(place % 2 == 1)
            })
            .collect();
        let pale = |colour: Colour| blend(WHITE, colour, 0.3);
        let entry = |(part, stroke): (&Series, &Stroke)| {
            let name = fitted(&part.name, SMALL, 240.0);
            match part.kind {
                SeriesKind::Line => (name, stroke.colour, Some(*stroke)),
                SeriesKind::Dots => (name, stroke.colour, None),
                SeriesKind::Band => (name, pale(stroke.colour), None),
            }
        };
        let named = self.parts.iter().zip(&strokes).filter(|(part, _)| !part.name.is_empty());
        let entries: Vec<_> = named.map(entry).collect();
        let [x_name, y_name] = &self.names;
        let x = points().map(|point| point.0);
        let (x, y) =
            (AxisScale::closely(x, self.log_x), AxisScale::of(points().map(|point| point.1)).with_zero());
        let mut room = Scene::new("", (0.0, 0.0));
        let head = 16.0 + 20.0 * legend(&mut room, (60.0, 0.0), WIDTH, &entries) as f64;
        let mut scene = Scene::new(format!("{y_name} by {x_name}"), (WIDTH, HEIGHT + head));
        legend(&mut scene, (60.0, 16.0), WIDTH, &entries);
        let corner = (WIDTH - 4.0, HEIGHT + head - 2.0);
        let axes = Axes::draw(
            &mut scene,
            (4.0, head),
            corner,
            ChartAxis { name: x_name, scale: x },
            ChartAxis { name: y_name, scale: y },
        );
        for (part, stroke) in self.parts.iter().zip(&strokes) {
            match part.kind {
                SeriesKind::Line => axes.line(&mut scene, &part.points, *stroke, false),
                SeriesKind::Dots => part
                    .points
                    .iter()
                    .filter(|(x, y)| x.is_finite() && y.is_finite())
                    .for_each(|(x, y)| scene.dot(axes.at(*x, *y), 3.2, stroke.colour)),
                SeriesKind::Band => {
                    let edge = part.points.iter().map(|(x, y)| axes.at(*x, *y)).collect();
                    scene.area(edge, pale(stroke.colour));
                }
            }
        }
        save(path.as_ref(), &scene)
    }
}
