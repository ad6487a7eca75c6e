//! PReLU: y = x above 0, else α·x. dα = Σ x·dy over x < 0, dx = dy above 0, else α·dy.

use std::fmt;

use super::{Layer, Pass, saved};
use crate::config::settings;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::param::{Param, Spec, spec_setters};
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A rectifier whose slope below 0 is learned: `y = max(x, 0) − α·max(−x, 0)`.
///
/// | setter | default |
/// |---|---|
/// | `shared_axes` | none: a slope for each number of a sample |
/// | `alpha_initializer`, `alpha_regularizer`, `alpha_constraint` | `Zeros`, none, none |
///
/// # Shapes
/// Input and output `(...)`, alike; parameter `alpha`, of the shape of a sample, with 1 at each shared axis.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([100, 8]).add(PRelu::new().shared_axes([1]).name("slopes"));
/// model.build()?;
/// assert_eq!(model.weight("slopes/alpha")?.shape(), [1, 8]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for a shared axis that the samples do not have.
///
/// # References
/// He et al. (2015), *Delving deep into rectifiers*; <https://keras.io/api/layers/activation_layers/prelu/>
#[derive(Clone)]
pub struct PRelu<F = f32> {
    shared_axes: Vec<usize>,
    alpha: Spec,
    param: Option<Param<F>>,
    /// Which α belongs to each number of a sample.
    places: Vec<usize>,
}

impl<F> PRelu<F> {
    /// A slope for each number of a sample, 0 at first.
    pub fn new() -> Self {
        PRelu {
            shared_axes: Vec::new(),
            alpha: Spec::new(Initializer::Zeros),
            param: None,
            places: Vec::new(),
        }
    }

    /// The axes along which one slope is shared, from 1 for the first axis of a sample. Default: none.
    pub fn shared_axes(mut self, axes: impl Into<Vec<usize>>) -> Self {
        self.shared_axes = axes.into();
        self
    }

    spec_setters!(alpha: "α", "`Zeros`", alpha_initializer, alpha_regularizer, alpha_constraint);
}

impl<F> Default for PRelu<F> {
    fn default() -> Self {
        PRelu::new()
    }
}

impl<F: Scalar> Layer<F> for PRelu<F> {
    fn kind(&self) -> &str {
        "PReLU"
    }

    saved!();

    fn build(&mut self, input: &[usize], rng: &mut Rng) -> Result<Vec<usize>> {
        if input.contains(&0) {
            return Err(Error::InputShape {
                expected: "(...), with no axis of length 0".into(),
                found: input.to_vec(),
            });
        }
        if let Some(axis) = self.shared_axes.iter().find(|&&axis| axis == 0 || axis > input.len()) {
            return Err(Error::argument("shared_axes", format!("axes from 1 to {}", input.len()), axis));
        }
        let mut shape = input.to_vec();
        self.shared_axes.iter().for_each(|axis| shape[axis - 1] = 1);
        self.param = Some(self.alpha.param("alpha", &shape, rng)?);
        let count: usize = input.iter().product();
        rng.take_room::<usize>(count, input)?;
        self.places = (0..count)
            .map(|number| {
                // The indices of the number, from the last axis to the first.
                let (mut rest, mut place, mut stride) = (number, 0, 1);
                for (&size, &own) in input.iter().zip(&shape).rev() {
                    place += (rest % size).min(own - 1) * stride;
                    (rest, stride) = (rest / size, stride * own);
                }
                place
            })
            .collect();
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let Some(alpha) = self.param.as_ref().map(Param::value) else { return };
        for (x, y) in x.iter().zip(y.iter_mut()) {
            let numbers = y.iter_mut().zip(x).zip(&self.places);
            numbers.for_each(|((y, &x), &place)| *y = if x < F::zero() { alpha[place] * x } else { x });
        }
    }

    fn backward(&mut self, pass: Pass<F>) {
        let Some(param) = &mut self.param else { return };
        let (x, dy) = (pass.x, pass.dy.as_batch());
        param.grad.fill(F::zero());
        for (x, dy) in x.iter().zip(dy.iter()) {
            for ((&x, &dy), &place) in x.iter().zip(dy).zip(&self.places) {
                param.grad[place] += if x < F::zero() { x * dy } else { F::zero() };
            }
        }
        let Some(mut dx) = pass.dx else { return };
        for (row, dx) in dx.iter_mut().enumerate() {
            for (i, dx) in dx.iter_mut().enumerate() {
                let slope = match x.row(row)[i] {
                    x if x > F::zero() => F::one(),
                    x if x < F::zero() => param.value[self.places[i]],
                    _ => F::zero(),
                };
                *dx = dy.row(row)[i] * slope;
            }
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Param<F>)) {
        self.param.iter().for_each(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut Param<F>)) {
        self.param.iter_mut().for_each(f);
    }
}

impl<F> fmt::Debug for PRelu<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "PReLU({:?})", self.param)
    }
}

settings!([F] PRelu<F> { "shared_axes": shared_axes, "alpha": alpha });
