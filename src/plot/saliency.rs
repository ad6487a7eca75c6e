//! Pictures of attributions over the sample that they explain.

use std::path::Path;

use super::axes::{Axes, ChartAxis, legend};
use super::colour::{BLUE, FAINT, INK, VERMILLION, blend, signed};
use super::save;
use super::scene::{Anchor, Point, Scene, Stroke, TEXT};
use crate::axis::AxisScale;
use crate::error::{Error, ExpectedShape, Result};
use crate::inspect::Attributions;
use crate::scalar::Scalar;

const WIDTH: f64 = 800.0;
/// The maximum number of strips that show the steps of a signal.
const STRIPS: usize = 360;
/// The maximum number of channels of a signal.
const CHANNELS: usize = 8;

impl<F: Scalar> Attributions<F> {
    /// Draws one of the samples to an `.svg` or `.png` file, over its attributions.
    ///
    /// Contributions that raise the output are vermillion, those that lower it blue. Below each signal are the
    /// attributions in units of the output.
    ///
    /// # Shapes
    /// Signals `(steps)` or `(steps, channels)`, of which the first 8 channels are drawn; images `(rows, columns,
    /// channels)`, summed over channels.
    ///
    /// # Errors
    /// [`Error::Argument`] for a sample that does not exist or has more axes;
    /// [`FileError::Extension`](crate::error::FileError::Extension), [`FileError::Io`](crate::error::FileError::Io).
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use cornu::inspect::IntegratedGradients;
    /// let mut model = Sequential::new().seed(1).input([50]).add(Dense::new(2)).add(Softmax::new());
    /// model.build()?;
    /// let signal = ndarray::Array2::from_shape_fn((1, 50), |(_, t)| (t as f32 / 5.0).sin());
    /// let why = model.integrated_gradients(&signal, &IntegratedGradients::new())?;
    /// let path = std::env::temp_dir().join("cornu-example-saliency.svg");
    /// why.plot(0, &path)?;
    /// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("<svg")));
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn plot(&self, sample: usize, path: impl AsRef<Path>) -> Result<()> {
        if sample >= self.outputs.len() {
            return Err(Error::argument("sample", format!("an index below {}", self.outputs.len()), sample));
        }
        let scene = match *self.samples.shape() {
            [_, steps] => signals(self, sample, steps, 1),
            [_, steps, channels] => signals(self, sample, steps, channels),
            [_, rows, columns, channels] => image(self, sample, [rows, columns, channels]),
            ref shape => {
                let expected = ExpectedShape::Rank { least: 2, most: Some(4) };
                return Err(Error::ArrayShape { argument: "samples", expected, found: shape.to_vec() });
            }
        };
        save(path.as_ref(), &scene)
    }

    /// Returns the values of a sample and their attributions.
    fn numbers(&self, sample: usize) -> (Vec<f64>, Vec<f64>) {
        let of = |values: &ndarray::ArrayD<F>| {
            values.index_axis(ndarray::Axis(0), sample).iter().map(|value| value.as_f64()).collect()
        };
        (of(&self.samples), of(&self.values))
    }

    /// Describes what is explained.
    fn title(&self, sample: usize) -> String {
        let (output, at, from) = (self.outputs[sample], self.at_sample[sample], self.at_baseline[sample]);
        format!("output {output}: {at:.3}, and {from:.3} for the baseline").replace('-', "−")
    }
}

fn head(scene: &mut Scene, title: &str) {
    scene.text((WIDTH / 2.0, 18.0), title, TEXT, Anchor::Middle);
    let entries = [
        ("adds to it".into(), VERMILLION, None),
        ("takes from it".into(), blend((255, 255, 255), BLUE, 0.9), None),
    ];
    legend(scene, (290.0, 40.0), WIDTH, &entries);
}

fn signals<F: Scalar>(found: &Attributions<F>, sample: usize, steps: usize, channels: usize) -> Scene {
    let (values, attributions) = found.numbers(sample);
    let shown = channels.min(CHANNELS);
    let (height, low_height) = if shown > 2 { (150.0, 110.0) } else { (240.0, 150.0) };
    let mut scene = Scene::new("Saliency of a signal", (WIDTH, 56.0 + (height + low_height) * shown as f64));
    head(&mut scene, &found.title(sample));
    let x = AxisScale::whole(0.0, steps.saturating_sub(1) as f64);
    let every = steps.div_ceil(STRIPS).max(1);
    let of = |all: &[f64], channel: usize| -> Vec<f64> {
        all.iter().skip(channel).step_by(channels).copied().collect()
    };
    let strips = |all: Vec<f64>| -> Vec<f64> {
        all.chunks(every).map(|part| part.iter().sum::<f64>() / part.len() as f64).collect()
    };
    let colours: Vec<Vec<f64>> = (0..shown).map(|channel| strips(of(&attributions, channel))).collect();
    // An outlier must not make the others pale.
    let strongest =
        colours.iter().flatten().fold(0.0, |most: f64, a| most.max(a.abs())).max(f64::MIN_POSITIVE);
    let y_of = |all: &[f64]| {
        AxisScale::of((0..shown).flat_map(|channel| of(all, channel)).collect::<Vec<_>>().into_iter())
    };
    for (channel, colours) in colours.iter().enumerate() {
        let top = 56.0 + (height + low_height) * channel as f64;
        let signal = of(&values, channel);
        let name = if channels > 1 { format!("channel {channel}") } else { "signal".into() };
        let room = 52.0;
        let axes = Axes::aligned(
            &mut scene,
            (4.0, top),
            (WIDTH - 4.0, top + height),
            ChartAxis { name: "", scale: x },
            ChartAxis { name: &name, scale: y_of(&values) },
            room,
        );
        let ((_, upper), (_, lower)) = axes.corners();
        for (place, strength) in colours.iter().enumerate() {
            let edge = |step: f64| axes.at_x(step.clamp(0.0, steps as f64 - 1.0));
            let (left, right) = ((place * every) as f64 - 0.5, ((place + 1) * every) as f64 - 0.5);
            let strength = strength / strongest;
            let colour = signed(strength.signum() * strength.abs().powf(0.7));
            scene.rect((edge(left), upper), (edge(right), lower), colour);
        }
        let points = |values: Vec<f64>| {
            values.into_iter().enumerate().map(|(t, v)| (t as f64, v)).collect::<Vec<Point>>()
        };
        axes.line(&mut scene, &points(signal), Stroke::new(INK, 1.6), false);
        let below = (4.0, top + height - 14.0);
        let corner = (WIDTH - 4.0, top + height + low_height);
        let attribution = of(&attributions, channel);
        let y = y_of(&attributions);
        let axes = {
            let (x, y) = (ChartAxis { name: "step", scale: x }, ChartAxis { name: "attribution", scale: y });
            Axes::aligned(&mut scene, below, corner, x, y, room)
        };
        axes.line(&mut scene, &[(0.0, 0.0), (steps as f64 - 1.0, 0.0)], Stroke::new(FAINT, 1.0), false);
        axes.line(&mut scene, &points(attribution), Stroke::new(INK, 1.4), false);
    }
    scene
}

fn image<F: Scalar>(found: &Attributions<F>, sample: usize, [rows, columns, channels]: [usize; 3]) -> Scene {
    let (values, attributions) = found.numbers(sample);
    let side = (370.0 / rows.max(columns) as f64).min(40.0);
    let mut scene = Scene::new("Saliency of an image", (WIDTH, 84.0 + side * rows as f64));
    head(&mut scene, &found.title(sample));
    let sums =
        |all: &[f64]| -> Vec<f64> { all.chunks(channels.max(1)).map(|cell| cell.iter().sum()).collect() };
    let (values, attributions) = (sums(&values), sums(&attributions));
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let range = (values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low).max(f64::MIN_POSITIVE);
    let strongest = attributions.iter().fold(f64::MIN_POSITIVE, |most, a| most.max(a.abs()));
    for place in 0..rows * columns {
        let (x, y) = (side * (place % columns) as f64, 60.0 + side * (place / columns) as f64);
        let light = ((values[place] - low) / range * 255.0) as u8;
        for (left, colour) in
            [(20.0, (light, light, light)), (410.0, signed(attributions[place] / strongest))]
        {
            scene.rect((left + x, y), (left + x + side, y + side), colour);
        }
    }
    let (bottom, wide) = (60.0 + side * rows as f64, side * columns as f64);
    for (left, name) in [(20.0, "sample"), (410.0, "attributions")] {
        scene.outline((left, 60.0), (left + wide, bottom), Stroke::new(FAINT, 1.0));
        scene.text((left + wide / 2.0, bottom + 13.0), name, TEXT, Anchor::Middle);
    }
    scene
}
