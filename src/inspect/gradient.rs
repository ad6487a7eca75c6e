//! `check_gradient`: compares the gradients of all weights and of the input with central differences.

use crate::error::{Error, Result};
use crate::layer::{GlobalBatch, StepAt, Workspace};
use crate::model::{Compiled, Sequential};
use crate::param::Param;
use crate::samples::Samples;
use crate::scalar::Scalar;
use crate::tensor::Batch;
use crate::training::add_penalty_slopes;
use crate::training::data::{
    BatchTargets, CheckedData, ModelShapes, Rows, RunningScores, TRAINING, TrainingData,
};

/// The step of the central differences.
const STEP: f64 = 1e-5;

impl<F: Scalar> Sequential<F> {
    /// Compares all gradients with central differences of the loss on this batch.
    ///
    /// Returns the relative error `‖g − g'‖ / max(‖g‖, ‖g'‖)` of each parameter by path, and of the input under the
    /// path `x`. Use it to test your own layers and losses: in `f64` a correct gradient has an error below 1e-7. The
    /// weights do not change. It takes two forward passes per value, so use a small model. Stateful layers start with 0.
    ///
    /// # Errors
    /// As [`Sequential::fit`].
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use ndarray::array;
    /// let mut model = Sequential::<f64>::with_scalar().seed(1).input([2]).add(Dense::new(3)).add(Softmax::new());
    /// model.compile(Sgd::new(0.1), CategoricalCrossentropy::new(), ())?;
    /// for (path, error) in model.check_gradient(&array![[0.3, -0.2]], &array![[0.0, 1.0, 0.0]])? {
    ///     assert!(error < 1e-7, "{path}: {error}");
    /// }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn check_gradient(&self, x: &impl Samples<F>, y: &impl Samples<F>) -> Result<Vec<(String, f64)>> {
        if let Some(resized) = self.resized(&x.sample_shape())? {
            return resized.check_gradient(x, y);
        }
        let compiled = self.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let shapes = ModelShapes::of(self)?;
        let data = CheckedData::new(TRAINING, TrainingData::Arrays { x, y }, shapes, &*compiled.loss)?;
        let scores = RunningScores::new(compiled, "", shapes.output, &y.sample_shape())?;
        let mut rows = Rows::default();
        let all: Vec<usize> = (0..data.count()).collect();
        data.gather(None, &all, &mut rows)?;
        let (mut model, workspace) = (self.clone(), Workspace::new(&self.layers));
        model.make_stateless();
        Probe { model, compiled, data, scores, workspace, x: rows.x, y: rows.y }.compare()
    }
}

/// A copy of the model, with one batch.
struct Probe<'a, F: Scalar> {
    model: Sequential<F>,
    compiled: &'a Compiled<F>,
    data: CheckedData<'a, F>,
    scores: RunningScores<F>,
    workspace: Workspace<F>,
    x: Vec<F>,
    y: Vec<F>,
}

impl<F: Scalar> Probe<'_, F> {
    /// The loss of the batch; with `backward`, also computes all gradients.
    fn loss(&mut self, backward: bool) -> f64 {
        let x = Batch::new(&self.x, self.data.width());
        let at = StepAt {
            seed: self.model.seed.value(),
            number: 0,
            first_row: 0,
            global_batch: GlobalBatch::default(),
        };
        self.workspace.forward(&mut self.model.layers, x, at);
        let width = self.workspace.output(x).width() / self.data.steps;
        let targets =
            BatchTargets { y: Batch::new(&self.y, self.data.target), weights: None, samples: x.rows() };
        let penalty = self.model.weight_penalty() + self.workspace.activity_penalty(&self.model.layers, x);
        let (y_pred, dy) = self.workspace.output_and_grad(x);
        let loss = self.scores.add(&*self.compiled.loss, y_pred.reshape(width), targets, penalty);
        if backward {
            self.scores.gradient(&*self.compiled.loss, y_pred.reshape(width), targets, dy.reshape(width));
            let all = 0..self.model.layers.len();
            self.workspace.backward(&mut self.model.layers, x, all, true, GlobalBatch::default());
            add_penalty_slopes(&mut self.model);
        }
        loss
    }

    fn compare(mut self) -> Result<Vec<(String, f64)>> {
        self.loss(true);
        let mut paths = Vec::new();
        self.model.walk(&mut |path, _, param| {
            if let Some(grad) = param.grad() {
                paths.push((path, grad.to_vec()));
            }
        });
        let input = self.workspace.input_grad(self.x.len() / self.data.width()).data().to_vec();
        let mut errors = Vec::new();
        for (index, (path, grad)) in paths.into_iter().enumerate() {
            let numeric = (0..grad.len())
                .map(|i| self.slope(|probe, by| probe.with_param(index, |param| param.value[i] += by)));
            errors.push((path, relative_error(&grad, &numeric.collect::<Vec<_>>())));
        }
        let numeric: Vec<f64> = (0..self.x.len()).map(|i| self.slope(|probe, by| probe.x[i] += by)).collect();
        errors.push(("x".into(), relative_error(&input, &numeric)));
        Ok(errors)
    }

    /// (loss(+h) − loss(−h)) / 2h, where `nudge` applies the step h.
    fn slope(&mut self, nudge: impl Fn(&mut Self, F)) -> f64 {
        let h = F::of(STEP);
        nudge(self, h);
        let above = self.loss(false);
        nudge(self, -(h + h));
        let below = self.loss(false);
        nudge(self, h);
        (above - below) / (2.0 * STEP)
    }

    /// Changes the trainable parameter with this index.
    fn with_param(&mut self, index: usize, change: impl Fn(&mut Param<F>)) {
        let mut place = 0;
        self.model.walk_mut(&mut |_, param| {
            if param.is_trainable() {
                if place == index {
                    change(param);
                }
                place += 1;
            }
        });
    }
}

/// ‖g − g'‖ / max(‖g‖, ‖g'‖), and 0 if both are 0.
fn relative_error<F: Scalar>(grad: &[F], numeric: &[f64]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let difference = norm(&mut grad.iter().zip(numeric).map(|(g, n)| g.as_f64() - n));
    let largest = norm(&mut grad.iter().map(|g| g.as_f64())).max(norm(&mut numeric.iter().copied()));
    // Below this, central differences of a loss of order 1 are rounding noise.
    if largest < 1e-9 { 0.0 } else { difference / largest }
}
