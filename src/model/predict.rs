//! Predictions, in batches of bounded memory and through `&self`, so that many threads can predict at once.

use std::borrow::Cow;

use ndarray::{Array1, ArrayD};

use super::states::reset_states;
use super::{InputShape, Sequential, StatefulBatches, any_length};
use crate::error::{Error, ExpectedShape, Result};
use crate::layer::{NamedLayer, Workspace};
use crate::samples::{Samples, check_all_finite, check_indices, check_not_empty, fits_input};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The largest size of the widest activation of a batch.
const BATCH: usize = 1 << 22;

/// Runs samples through a model batch by batch, in memory that is reused from call to call.
///
/// If the model has an open axis, the first samples of another length than the last ones make a copy of the layers, which the
/// predictor keeps.
///
/// If the model has [stateful](crate::layer::Rnn::stateful) layers, a predictor starts with the states of the model, and carries
/// its own from batch to batch and from call to call. All samples of the first call are one batch, unless the model has states of
/// a number of rows.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([2]).add(Softmax::new());
/// model.build()?;
/// let mut predictor = model.predictor()?;
/// let mut probabilities = [0.0; 2];
/// for signal in [array![[1.0, 1.0]], array![[2.0, 2.0]]] {
///     predictor.predict_into(&signal, &mut probabilities)?;    // allocates only the first time
///     assert_eq!(probabilities, [0.5, 0.5]);
/// }
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
pub struct Predictor<'a, F: Scalar = f32> {
    /// Those of the model, or copies if the samples have another length.
    layers: Cow<'a, [NamedLayer<F>]>,
    input: Vec<usize>,
    open: Option<&'a InputShape>,
    /// The number of indices that the first layer reads, if it reads indices.
    indices: Option<usize>,
    stateful: Option<StatefulBatches>,
    workspace: Workspace<F>,
    rows: Vec<F>,
}

impl<F: Scalar> Predictor<'_, F> {
    /// Writes the outputs of all samples of `x` to `y`, one after another.
    ///
    /// # Errors
    /// [`Error::SampleShape`], [`Error::Empty`], [`Error::Argument`] if the length of `y` is not that of the outputs.
    /// [`Error::NonFinite`] or [`Error::Index`] for a bad sample; the outputs of earlier samples may already be
    /// written.
    pub fn predict_into(&mut self, x: &impl Samples<F>, y: &mut [F]) -> Result<()> {
        self.fit(x)?;
        let width: usize = self.output().iter().product();
        if y.len() != x.count() * width {
            return Err(Error::argument("y", format!("a slice of {}", x.count() * width), y.len()));
        }
        self.run(x, |start, outputs| {
            y[start * width..][..outputs.data().len()].copy_from_slice(outputs.data());
        })
    }

    /// Sets the states of stateful layers to 0, such as before another sequence. The next call may have another number of samples.
    ///
    /// It copies the layers once.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use ndarray::Array3;
    /// let mut model = Sequential::new().seed(1).input([4, 1]).add(Lstm::new(1).stateful(true));
    /// model.build()?;
    /// let mut predictor = model.predictor()?;
    /// let mut outputs = [[0.0]; 3];
    /// predictor.predict_into(&Array3::<f32>::ones((1, 4, 1)), &mut outputs[0])?;
    /// predictor.predict_into(&Array3::<f32>::ones((1, 4, 1)), &mut outputs[1])?;
    /// predictor.reset_states();
    /// predictor.predict_into(&Array3::<f32>::ones((1, 4, 1)), &mut outputs[2])?;
    /// assert!(outputs[0] != outputs[1] && outputs[0] == outputs[2]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn reset_states(&mut self) {
        if let Some(batches) = &mut self.stateful {
            batches.reset();
            reset_states(self.layers.to_mut());
            self.workspace.scratch.forget_states();
        }
    }

    /// Refuses samples of another shape, no samples, or a number that the states do not allow, and prepares for their length.
    fn fit(&mut self, x: &dyn Samples<F>) -> Result<()> {
        self.fit_shape(x)?;
        self.stateful.iter().try_for_each(|batches| batches.check_count("x", x.count()))
    }

    fn fit_shape(&mut self, x: &dyn Samples<F>) -> Result<()> {
        if x.count() != 0 && fits_input(x, &self.input) {
            return Ok(());
        }
        check_not_empty("x", x)?;
        let found = x.sample_shape();
        match self.open {
            Some(open) if open.includes(&found) => {
                any_length::resize(self.layers.to_mut(), &mut self.input, &found)?;
                self.workspace.plan(&self.layers);
                Ok(())
            }
            open => {
                let expected = open.map_or_else(|| ExpectedShape::exactly(&self.input), InputShape::expected);
                Err(Error::SampleShape { argument: "x".into(), expected, found })
            }
        }
    }

    /// The shape of one output.
    fn output(&self) -> &[usize] {
        self.layers.last().and_then(NamedLayer::output_shape).unwrap_or_default()
    }

    /// Calls `f` with the outputs of each batch and the index of its first sample.
    ///
    /// Batches with NaN or infinity are refused before.
    fn run(&mut self, x: &dyn Samples<F>, mut f: impl FnMut(usize, Batch<F>)) -> Result<()> {
        let width: usize = self.input.iter().product();
        let rows = self.stateful.as_ref().map(|batches| batches.rows().unwrap_or(x.count()));
        let batch = rows.unwrap_or_else(|| (BATCH / self.workspace.widest().max(1)).max(16));
        for start in (0..x.count()).step_by(batch) {
            let count = batch.min(x.count() - start);
            let samples = match x.as_slice() {
                Some(all) => &all[start * width..][..count * width],
                None => {
                    self.rows.resize(count * width, F::zero());
                    let samples = self.rows.chunks_exact_mut(width).enumerate();
                    samples.for_each(|(i, row)| x.read(start + i, row));
                    &self.rows
                }
            };
            let indices = self.indices;
            let check = || {
                check_all_finite("x", samples, width, start)?;
                indices.map_or(Ok(()), |count| check_indices("x", samples, width, start, count))
            };
            let samples = Batch::new(samples, width);
            self.workspace.infer_checked(&self.layers, samples, check)?;
            self.stateful.iter_mut().for_each(|batches| batches.fix(count));
            f(start, self.workspace.output(samples));
        }
        Ok(())
    }
}

impl<F: Scalar> Sequential<F> {
    /// Returns a predictor over this model, which predicts repeatedly without allocating.
    ///
    /// # Errors
    /// [`Error::NotBuilt`] if the model is not built.
    pub fn predictor(&self) -> Result<Predictor<'_, F>> {
        let input = self.input.clone().filter(|_| self.is_built()).ok_or(Error::NotBuilt)?;
        Ok(Predictor {
            layers: Cow::Borrowed(&self.layers),
            input,
            open: self.open.as_ref(),
            indices: self.indices(),
            stateful: self.stateful_batches(),
            workspace: Workspace::new(&self.layers),
            rows: Vec::new(),
        })
    }

    /// Returns the outputs for all samples of `x`: an array `samples × output shape`.
    ///
    /// # Errors
    /// [`Error::NotBuilt`], [`Error::SampleShape`], [`Error::Empty`], [`Error::NonFinite`], and [`Error::Index`] if
    /// the model starts with an [`Embedding`](crate::layer::Embedding).
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([2]).add(Softmax::new());
    /// model.build()?;
    /// assert_eq!(model.predict(&ndarray::array![[1.0, 1.0]])?, ndarray::array![[0.5, 0.5]].into_dyn());
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn predict(&self, x: &impl Samples<F>) -> Result<ArrayD<F>> {
        let mut predictor = self.predictor()?;
        predictor.fit(x)?;
        let shape = [&[x.count()], predictor.output()].concat();
        let mut outputs = Vec::with_capacity(crate::tensor::elements::<F>(&shape)?);
        predictor.run(x, |_, batch| outputs.extend_from_slice(batch.data()))?;
        ArrayD::from_shape_vec(shape, outputs).map_err(Error::outside)
    }

    /// Returns the probabilities of the classes for all samples of `x`: the outputs or, if the compiled
    /// loss takes logits, their sigmoid or softmax.
    ///
    /// # Errors
    /// As [`Sequential::predict`]; [`Error::NotCompiled`], and [`Error::Argument`] if the loss is not for classification.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([1]).add(Rescaling::new(1.0));
    /// model.compile(Sgd::new(0.1), BinaryCrossentropy::new().from_logits(true), ())?;
    /// assert_eq!(model.predict_proba(&ndarray::array![[0.0]])?, ndarray::array![[0.5]].into_dyn());
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn predict_proba(&self, x: &impl Samples<F>) -> Result<ArrayD<F>> {
        let loss = &self.compiled.as_ref().ok_or(Error::NotCompiled)?.loss;
        let expected = "a classification loss, such as BinaryCrossentropy";
        let link = loss.link().ok_or_else(|| Error::argument("loss", expected, loss.name()))?;
        let mut y = self.predict(x)?;
        let width = y.shape().last().copied().unwrap_or(1);
        if let Some(y) = y.as_slice_mut() {
            link.apply(BatchMut::new(y, width));
        }
        Ok(y)
    }

    /// Returns the output of each layer for the samples of `x`: one array `samples × output shape` per layer.
    ///
    /// # Errors
    /// As [`Sequential::predict`].
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([1]).add(Rescaling::new(2.0)).add(Rescaling::new(3.0));
    /// model.build()?;
    /// let outputs = model.layer_outputs(&ndarray::array![[1.0]])?;
    /// assert_eq!((outputs[0][[0, 0]], outputs[1][[0, 0]]), (2.0, 6.0));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn layer_outputs(&self, x: &impl Samples<F>) -> Result<Vec<ArrayD<F>>> {
        let mut predictor = self.predictor()?;
        predictor.fit(x)?;
        predictor.stateful.iter().try_for_each(|batches| batches.check_rows("x", x.count()))?;
        let width: usize = predictor.input.iter().product();
        let mut rows = vec![F::zero(); x.count() * width];
        rows.chunks_exact_mut(width).enumerate().for_each(|(i, row)| x.read(i, row));
        check_all_finite("x", &rows, width, 0)?;
        predictor.indices.map_or(Ok(()), |count| check_indices("x", &rows, width, 0, count))?;
        let batch = Batch::new(&rows, width);
        predictor.workspace.infer(&predictor.layers, batch);
        let output = |(i, layer): (usize, &NamedLayer<F>)| {
            let shape = [&[x.count()], layer.output_shape().unwrap_or_default()].concat();
            let values = predictor.workspace.value(i + 1, batch).data().to_vec();
            ArrayD::from_shape_vec(shape, values).map_err(Error::outside)
        };
        predictor.layers.iter().enumerate().map(output).collect()
    }

    /// Returns the class of each sample: the index of the largest output. A single output is class 1 if it is above 0.5 or,
    /// if the compiled loss takes logits, above 0.
    ///
    /// Of equal outputs, the first counts as the largest. If the output has steps, as in `(steps, classes)`, there is
    /// one class for each step of each sample, in order.
    ///
    /// # Errors
    /// As [`Sequential::predict`].
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([2]).add(Softmax::new());
    /// model.build()?;
    /// assert_eq!(model.predict_classes(&ndarray::array![[1.0, 7.0]])?, ndarray::array![1]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn predict_classes(&self, x: &impl Samples<F>) -> Result<Array1<usize>> {
        let mut predictor = self.predictor()?;
        predictor.fit(x)?;
        let width = predictor.output().last().copied().unwrap_or(1);
        let link = self.compiled.as_ref().and_then(|compiled| compiled.loss.link());
        let threshold = F::of(link.unwrap_or_default().threshold());
        let class = |row: &[F]| match *row {
            [p] => usize::from(p > threshold),
            _ => row.iter().enumerate().fold(0, |best, (i, p)| if *p > row[best] { i } else { best }),
        };
        let mut classes = Vec::new();
        predictor.run(x, |_, batch| classes.extend(batch.reshape(width).iter().map(class)))?;
        Ok(classes.into())
    }
}
