//! Losses: value and gradient, plain and weighted.

use std::collections::BTreeSet;

use cornu::loss::Loss;
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut};
use serde_json::Value;

use super::draw::{classes, draw, one_hot};
use super::{check, covers, floats, golden, golden_of, numbers, tolerance};
use crate::roster;

/// The stored cases of one script, how many of them were compared, and the losses that were.
struct Cases<'a, F> {
    stored: Value,
    weight: Vec<F>,
    compared: usize,
    kinds: &'a mut BTreeSet<String>,
}

impl<F: Scalar> Cases<'_, F> {
    #[track_caller]
    fn check(&mut self, name: &str, loss: impl Loss<F>, pred: &[F], truth: &[F]) {
        self.kinds.extend(loss.config().map(|config| config.kind));
        let (pred, truth) = (Batch::new(pred, 4), Batch::new(truth, truth.len() / 6));
        for weighted in [false, true] {
            let key = if weighted { format!("{name}_weighted") } else { name.into() };
            let stored = &self.stored[&key];
            let weights = if weighted { self.weight.clone() } else { vec![F::one(); 6] };
            let mut values = [F::zero(); 6];
            let rows = loss.values(pred, truth, &mut values) as f64;
            let value = values.iter().zip(&weights).map(|(v, w)| (*v * *w).as_f64()).sum::<f64>() / rows;
            check(&key, &[value], &[stored["value"].as_f64().expect("a value")], tolerance::<F>());
            let scale: Vec<F> = weights.iter().map(|&w| w / F::of(rows)).collect();
            let mut dy = vec![F::nan(); 24];
            loss.gradient(pred, truth, &scale, BatchMut::new(&mut dy, 4));
            let what = format!("gradient of {key}");
            check(&what, &floats(&dy), &numbers(&stored["dy"]), tolerance::<F>());
            self.compared += 1;
        }
    }

    fn are_all_compared(&self) {
        assert_eq!(self.compared, self.stored.as_object().map_or(0, |all| all.len()));
    }
}

fn losses<F: Scalar>() {
    let (basic, others) = (&golden::<F>()["losses"], golden_of::<F>("losses"));
    let z = draw::<F>(&[6, 4], 10, 4.0).into_iter().collect::<Vec<_>>();
    let y = classes(6, 4, 11);
    let hot = one_hot::<F>(&y, 4).into_iter().collect::<Vec<_>>();
    let soft: Vec<F> = draw::<F>(&[6, 4], 13, 1.0).iter().map(|t| t.abs()).collect();
    let weight: Vec<F> = draw::<F>(&[6], 12, 1.0).iter().map(|w| w.abs() + F::of(0.25)).collect();
    let mut kinds = BTreeSet::new();

    let p: Vec<F> = numbers(&basic["p"]).into_iter().map(F::of).collect();
    let twice: Vec<F> = p.iter().map(|&p| p + p).collect();
    let index: Vec<F> = y.iter().map(|&class| F::of(class as f64)).collect();
    let mut cases =
        Cases { stored: basic["cases"].clone(), weight: weight.clone(), compared: 0, kinds: &mut kinds };
    let c = &mut cases;
    let categorical = CategoricalCrossentropy::new;
    c.check("categorical", categorical(), &p, &hot);
    c.check("categorical_of_2p", categorical(), &twice, &hot);
    c.check("categorical_soft", categorical(), &p, &soft);
    c.check("categorical_smooth", categorical().label_smoothing(0.1), &p, &hot);
    c.check("categorical_logits", categorical().from_logits(true), &z, &soft);
    let sparse = SparseCategoricalCrossentropy::new;
    c.check("sparse", sparse(), &p, &index);
    c.check("sparse_ignore", sparse().ignore_class(y[1] as i64), &p, &index);
    c.check("sparse_logits", sparse().from_logits(true), &z, &index);
    c.check("binary", BinaryCrossentropy::new(), &p, &hot);
    c.check("binary_smooth", BinaryCrossentropy::new().label_smoothing(0.2), &p, &soft);
    c.check("binary_logits", BinaryCrossentropy::new().from_logits(true), &z, &soft);
    c.check("squared", MeanSquaredError::new(), &z, &soft);
    c.check("absolute", MeanAbsoluteError::new(), &z, &soft);
    cases.are_all_compared();

    let p: Vec<F> = numbers(&others["p"]).into_iter().map(F::of).collect();
    let twice: Vec<F> = p.iter().map(|&p| p + p).collect();
    let turned: Vec<F> = z.chunks_exact(4).rev().flatten().copied().collect();
    let large: Vec<F> = z.iter().map(|&z| z * F::of(32.0)).collect();
    let size: Vec<F> = z.iter().map(|z| z.abs()).collect();
    let signs: Vec<F> = draw::<F>(&[6, 4], 14, 1.0).iter().map(|t| t.signum()).collect();
    let mixed: Vec<F> = hot.iter().map(|&t| t + t).collect();
    let mut cases = Cases { stored: others["cases"].clone(), weight, compared: 0, kinds: &mut kinds };
    let c = &mut cases;
    c.check("msle", MeanSquaredLogarithmicError::new(), &size, &soft);
    c.check("msle_negative", MeanSquaredLogarithmicError::new(), &z, &soft);
    c.check("mape", MeanAbsolutePercentageError::new(), &z, &soft);
    c.check("mape_signed", MeanAbsolutePercentageError::new(), &z, &turned);
    c.check("huber", Huber::new(), &z, &soft);
    c.check("huber_delta", Huber::new().delta(0.5), &z, &soft);
    c.check("log_cosh", LogCosh::new(), &z, &soft);
    c.check("log_cosh_large", LogCosh::new(), &large, &soft);
    c.check("kl_divergence", KlDivergence::new(), &p, &soft);
    c.check("kl_divergence_hot", KlDivergence::new(), &p, &hot);
    c.check("poisson", Poisson::new(), &size, &soft);
    c.check("poisson_hot", Poisson::new(), &p, &hot);
    c.check("hinge", Hinge::new(), &z, &hot);
    c.check("hinge_signs", Hinge::new(), &z, &signs);
    c.check("hinge_mixed", Hinge::new(), &z, &mixed);
    c.check("squared_hinge", SquaredHinge::new(), &z, &hot);
    c.check("squared_hinge_signs", SquaredHinge::new(), &z, &signs);
    c.check("categorical_hinge", CategoricalHinge::new(), &z, &hot);
    c.check("categorical_hinge_soft", CategoricalHinge::new(), &z, &soft);
    c.check("cosine", CosineSimilarity::new(), &z, &soft);
    c.check("cosine_hot", CosineSimilarity::new(), &p, &hot);
    let binary = BinaryFocalCrossentropy::new;
    c.check("binary_focal", binary(), &p, &hot);
    let balanced = binary().apply_class_balancing(true).alpha(0.75).gamma(3.0).label_smoothing(0.2);
    c.check("binary_focal_balanced", balanced, &p, &soft);
    c.check("binary_focal_logits", binary().from_logits(true), &z, &soft);
    let categorical = CategoricalFocalCrossentropy::new;
    c.check("categorical_focal", categorical(), &p, &hot);
    let alphas = categorical().alpha_per_class([0.1, 0.2, 0.3, 0.4]).gamma(1.5).label_smoothing(0.1);
    c.check("categorical_focal_alphas", alphas, &twice, &hot);
    c.check("categorical_focal_logits", categorical().from_logits(true).gamma(3.0), &z, &soft);
    let labels: Vec<F> = [7.0, 3.0, 7.0, 3.0, 3.0, 7.0].map(F::of).to_vec();
    let norm = |z: &[F]| z.iter().map(|&z| z * z).sum::<F>().sqrt();
    let unit: Vec<F> =
        z.chunks_exact(4).flat_map(|z| z.iter().map(|&x| x / norm(z)).collect::<Vec<_>>()).collect();
    let part = |divisor: f64| z.iter().map(|&z| z / F::of(divisor)).collect::<Vec<F>>();
    c.check("dice", Dice::new(), &p, &hot);
    c.check("dice_soft", Dice::new(), &p, &soft);
    c.check("dice_rows", Dice::new().axis([-1]), &p, &soft);
    c.check("tversky", Tversky::new(), &p, &soft);
    c.check("tversky_weights", Tversky::new().alpha(0.3).beta(1.2), &p, &hot);
    c.check("tversky_rows", Tversky::new().alpha(0.7).beta(0.2).axis([1]), &p, &soft);
    c.check("circle", Circle::new(), &unit, &labels);
    c.check(
        "circle_settings",
        Circle::new().gamma(3.0).margin(0.25).remove_diagonal(false),
        &part(8.0),
        &labels,
    );
    c.check("circle_wide", Circle::new().gamma(2.0).margin(-0.5), &part(4.0), &labels);
    let generalized = CategoricalGeneralizedCrossEntropy::new;
    c.check("generalized", generalized(), &p, &index);
    c.check("generalized_q", generalized().q(0.7), &twice, &index);
    cases.are_all_compared();
    let built_in = roster::losses::<F>().into_iter().filter_map(|loss| Some(loss.config()?.kind));
    covers(built_in, &kinds, &[]);
}

#[test]
fn losses_agree_with_keras_in_f32() {
    losses::<f32>();
}

#[test]
fn losses_agree_with_keras_in_f64() {
    losses::<f64>();
}
