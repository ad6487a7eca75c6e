//! Pictures of a training: panels for the loss, each metric, and the learning rate if it changes.

use std::path::Path;

use super::axes::{Axes, ChartAxis, legend, room};
use super::colour::{BLUE, INK, VERMILLION};
use super::ink::fitted;
use super::save;
use super::scene::{Anchor, Point, SMALL, Scene, Stroke, TEXT};
use crate::axis::AxisScale;
use crate::error::{Error, Result};
use crate::training::History;

const WIDTH: f64 = 800.0;

/// A panel: its name and its lines by name.
struct Panel {
    name: String,
    lines: Vec<(String, Vec<Point>, Stroke)>,
}

impl History {
    /// Draws the loss and the metrics of training and validation by epoch, to an `.svg` or `.png` file.
    ///
    /// The picture also shows the learning rate, if it changes, and the epoch whose weights were restored.
    ///
    /// Epochs count from 1, as in the progress line. A line is broken at values that are not finite, which a note in the
    /// picture states. An axis is logarithmic if its values are positive and span more than three powers of ten.
    ///
    /// # Errors
    /// [`FileError::Extension`](crate::error::FileError::Extension), [`FileError::Io`](crate::error::FileError::Io),
    /// and [`Error::Empty`] if no epoch was trained.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let x = ndarray::array![[0.0], [0.5], [1.0], [1.5]];
    /// let history = model.fit(&x, &x, &Fit::new().epochs(20).validation_split(0.25).verbose(Verbose::Silent))?;
    /// let path = std::env::temp_dir().join("cornu-example-history.svg");
    /// history.plot(&path)?;
    /// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("validation")));
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<()> {
        if self.epochs().is_empty() {
            return Err(Error::Empty { argument: "history".into(), shape: vec![0] });
        }
        save(path.as_ref(), &scene(self))
    }
}

fn scene(history: &History) -> Scene {
    let panels = panels(history);
    let height = if panels.len() > 2 { 230.0 } else { 300.0 };
    let mut scene =
        Scene::new("Loss and metrics of a training by epoch", (WIDTH, height * panels.len() as f64 + 8.0));
    let (first, last) = match history.epochs() {
        [first, .., last] => (first + 1, last + 1),
        [only] => (only + 1, only + 1),
        [] => (0, 0),
    };
    let x = AxisScale::whole(first as f64, last as f64);
    let y_of = |panel: &Panel| {
        let values = panel.lines.iter().flat_map(|(_, points, _)| points.iter().map(|point| point.1));
        let scale = AxisScale::of(values).with_zero();
        if history.restored_epoch().is_some() { scale.with_head_room() } else { scale }
    };
    let widest = panels.iter().map(|panel| room(y_of(panel), height - 34.0)).fold(0.0, f64::max);
    for (place, panel) in panels.iter().enumerate() {
        let top = place as f64 * height;
        let y = y_of(panel);
        let (from, to) = ((4.0, top + 34.0), (WIDTH - 4.0, top + height));
        let name = fitted(&panel.name, TEXT, height - 90.0);
        let (x, y) = (ChartAxis { name: "epoch", scale: x }, ChartAxis { name: &name, scale: y });
        let axes = Axes::aligned(&mut scene, from, to, x, y, widest);
        let left = axes.corners().0.0;
        let entries =
            panel.lines.iter().map(|(name, _, stroke)| (name.clone(), stroke.colour, Some(*stroke)));
        legend(&mut scene, (left, top + 18.0), WIDTH, &entries.collect::<Vec<_>>());
        for (_, points, stroke) in &panel.lines {
            axes.line(&mut scene, points, *stroke, points.len() <= 30);
        }
        let broken = panel.lines.iter().flat_map(|(_, points, _)| points).find(|point| !point.1.is_finite());
        if let Some((epoch, value)) = broken {
            let text = format!("{value} in epoch {epoch}");
            let at = (WIDTH - 18.0, top + 18.0);
            scene.coloured(at, text, TEXT, Anchor::End, VERMILLION);
        }
        if let Some(epoch) = history.restored_epoch() {
            axes.mark(&mut scene, (epoch + 1) as f64, &format!("restored: epoch {}", epoch + 1));
        }
    }
    if let Some(reason) = history.stopped().filter(|_| !panels.is_empty()) {
        let text = fitted(&format!("stopped: {reason}"), SMALL, 400.0);
        scene.coloured(
            (WIDTH - 18.0, 18.0 + height * (panels.len() - 1) as f64),
            text,
            SMALL,
            Anchor::End,
            INK,
        );
    }
    scene
}

fn panels(history: &History) -> Vec<Panel> {
    let points = |name: &str| {
        let (epochs, values) = (history.epochs_of(name)?, history.get(name)?);
        Some(epochs.iter().zip(values).map(|(epoch, value)| ((epoch + 1) as f64, *value)).collect::<Vec<_>>())
    };
    let training = Stroke::new(BLUE, 2.2);
    let validation = Stroke::new(VERMILLION, 2.2).dashed(true);
    let mut panels = Vec::new();
    for name in history.names().filter(|name| !name.starts_with("val_") && *name != "learning_rate") {
        let both =
            [(name.to_string(), "training", training), (format!("val_{name}"), "validation", validation)];
        let lines =
            both.into_iter().filter_map(|(name, what, stroke)| Some((what.into(), points(&name)?, stroke)));
        panels.push(Panel { name: name.into(), lines: lines.collect() });
    }
    let rates = history.learning_rates();
    if rates.windows(2).any(|pair| pair[0] != pair[1]) {
        let points = history.epochs().iter().zip(rates).map(|(epoch, rate)| ((epoch + 1) as f64, *rate));
        let lines = vec![("at the start of each epoch".into(), points.collect(), Stroke::new(INK, 2.0))];
        panels.push(Panel { name: "learning rate".into(), lines });
    }
    panels
}
