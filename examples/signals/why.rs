//! What a trained network shows of why it does not learn.

use cornu::callback::{Callback, Flow, Moment};
use cornu::ndarray::{Axis, s};
use cornu::prelude::*;

use crate::Signals;

/// The smallest probability that the loss tells from 0.
const CLIP: f64 = 1e-7;

/// The norm of each layer's gradient at the last step, and since when all of them are 0.
#[derive(Default)]
pub struct GradientNorms {
    layers: Vec<(String, f64)>,
    dead_since: Option<(usize, usize)>,
}

impl Callback<f32> for GradientNorms {
    fn on_batch_end(&mut self, at: &mut Moment<f32>) -> Result<Flow> {
        self.layers.clear();
        for node in at.model.layers() {
            let (mut square, mut has_weights) = (0.0, false);
            node.layer().visit(&mut |param| {
                has_weights = true;
                square += param.grad().iter().map(|g| f64::from(*g).powi(2)).sum::<f64>();
            });
            if has_weights {
                self.layers.push((node.label().into(), square.sqrt()));
            }
        }
        let dead = self.layers.iter().all(|(_, norm)| *norm == 0.0);
        self.dead_since = if dead { self.dead_since.or(Some((at.epoch + 1, at.batch))) } else { None };
        Ok(Flow::Continue)
    }
}

/// Prints what the network shows on every fifth of its signals.
pub fn explain(
    model: &Sequential,
    signals: &Signals,
    history: &History,
    norms: &GradientNorms,
) -> Result<()> {
    let some = signals.x.slice(s![..;5, .., ..]);
    let truth = signals.y.slice(s![..;5]);
    let outputs = model.layer_outputs(&some)?;

    println!(
        "scale     the inputs have standard deviation {:.1}; the first weights of F1 had",
        some.std(0.0)
    );
    let kernel = model.weight("F1/kernel")?;
    let (inputs, units) = (kernel.shape()[0] as f64, kernel.shape()[1] as f64);
    let deviation = (2.0 / (inputs + units)).sqrt();
    let sums = deviation * inputs.sqrt() * (some.mapv(|x| x * x).mean().unwrap_or(0.0)).sqrt() as f64;
    println!(
        "          √(2 / ({inputs} + {units})) = {deviation:.4}: its sums start near ±{sums:.0}, where ±1 is usual"
    );

    for (node, output) in model.layers().iter().zip(&outputs) {
        if !format!("{node:?}").contains("relu") {
            continue;
        }
        let units = output.len_of(Axis(1));
        let dead =
            (0..units).filter(|&unit| output.index_axis(Axis(1), unit).iter().all(|y| *y == 0.0)).count();
        println!("dead      {:<7} {dead} of {units} units are 0 for every signal", node.label());
    }

    if let Some(probabilities) = outputs.last() {
        let rows = probabilities.len_of(Axis(0)) as f64;
        let share = |keep: &dyn Fn(usize, usize, f64) -> bool| {
            let values = probabilities.indexed_iter().filter(|(at, p)| keep(at[0], at[1], f64::from(**p)));
            values.count() as f64 / rows
        };
        let saturated = share(&|_, _, p| p > 1.0 - 1e-6);
        println!("softmax   {:.1} % of the rows have one class at a probability of 1", 100.0 * saturated);
        let clipped = share(&|row, class, p| class == truth[row] && p < CLIP);
        println!(
            "clip      {:.1} % of the rows have their true class below {CLIP:e}, where the",
            100.0 * clipped
        );
        println!("          cross-entropy is cut off and has no slope");
        let classes = signals.classes as f64;
        let share = match (clipped - (1.0 - 1.0 / classes)).abs() < 1e-9 {
            true => format!("(1 − 1/{classes})"),
            false => format!("{clipped:.4}"),
        };
        let (cost, last) = (clipped * -CLIP.ln(), history.last("loss").unwrap_or(f64::NAN));
        println!("loss      {share} · −ln({CLIP:e}) = {cost:.4}; the training ended at {last:.4}");
        let chance = (signals.classes as f64).ln();
        println!("          (guessing would cost ln {} = {chance:.4})", signals.classes);
    }

    print!("gradient  its norm at the last step:");
    norms.layers.iter().for_each(|(layer, norm)| print!("  {layer} {norm:.1e}"));
    match norms.dead_since {
        Some((epoch, batch)) => {
            println!("\n          exactly 0 since epoch {epoch}, batch {batch}: nothing can move any more")
        }
        None => println!("\n          not 0: this network still moves"),
    }
    Ok(())
}
