//! Discretization: y = #{b : b ≤ x}, the bin of x between the boundaries b. dx = 0.

use super::{OutputMode, quantiles};
use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::layer::{BackwardContext, Layer, saved};
use crate::param::BuildContext;
use crate::samples::{Samples, check_finite, check_not_empty};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Replaces each number by the index of its bin: the number of boundaries that are not above it.
///
/// Boundaries `b₀, b₁ ...` form the bins `(−∞, b₀)`, `[b₀, b₁)` and so on. All features share them.
///
/// | setter | default |
/// |---|---|
/// | `output_mode` | [`OutputMode::Int`] |
/// | `epsilon`: the tolerance of adapted quantiles | 0.01 |
///
/// [`adapt`](Discretization::adapt) computes boundaries with equal numbers of values between them. As in Keras, it first
/// summarizes the values by `1/epsilon` of them, so boundaries can differ from the exact quantiles by a share `epsilon` of the
/// values; the numbers are Keras's.
///
/// # Shapes
/// Input and output `(...)`, of the same shape. The other modes have those of
/// [`CategoryEncoding`](crate::layer::CategoryEncoding), with one category per bin.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([2]).add(Discretization::new([0.0, 10.0]));
/// model.build()?;
/// assert_eq!(model.predict(&array![[-1.0, 0.0], [10.0, 5.0]])?, array![[0.0, 1.0], [2.0, 1.0]].into_dyn());
///
/// let ages = array![[3.0], [14.0], [15.0], [92.0], [65.0], [35.0]];
/// let layer = Discretization::num_bins(3).adapt(&ages)?;
/// let rounded: Vec<f64> = layer.bin_boundaries().iter().map(|boundary| boundary.round()).collect();
/// assert_eq!(rounded, [14.0, 35.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for boundaries that are missing, not finite or not sorted; the errors of
/// [`CategoryEncoding`](crate::layer::CategoryEncoding) for the shape.
///
/// # References
/// <https://keras.io/api/layers/preprocessing_layers/numerical/discretization/>
#[derive(Debug, Clone)]
pub struct Discretization {
    bin_boundaries: Option<Vec<f64>>,
    num_bins: Option<usize>,
    epsilon: f64,
    output_mode: OutputMode,
}

impl Discretization {
    /// Creates a layer with these boundaries, in ascending order.
    pub fn new(bin_boundaries: impl Into<Vec<f64>>) -> Self {
        let bin_boundaries = Some(bin_boundaries.into());
        Discretization { bin_boundaries, num_bins: None, epsilon: 0.01, output_mode: OutputMode::Int }
    }

    /// Creates a layer whose boundaries [`adapt`](Discretization::adapt) computes, for this number of bins.
    pub fn num_bins(num_bins: usize) -> Self {
        Discretization { bin_boundaries: None, num_bins: Some(num_bins), ..Discretization::new([]) }
    }

    setters! {
        /// The form of the output. Default: [`OutputMode::Int`].
        output_mode: OutputMode;
        /// The share of the values by which adapted boundaries can differ from the quantiles. Default: 0.01.
        epsilon: f64;
    }

    /// Computes the boundaries from all values of `x`, replacing any earlier ones.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NonFinite`]; [`Error::Argument`] for a layer without a number of bins, fewer than 2 bins, an
    /// `epsilon` outside of (0, 1), or a single value.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let x = ndarray::Array2::from_shape_fn((1000, 1), |(i, _)| i as f64);
    /// let layer = Discretization::num_bins(2).adapt(&x)?;
    /// assert!((layer.bin_boundaries()[0] - 499.0).abs() < 0.01);
    /// assert!(Discretization::new([0.0]).adapt(&x).is_err());
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn adapt(mut self, x: &impl Samples<f64>) -> Result<Self> {
        let num_bins = match self.num_bins {
            Some(count) if count >= 2 => count,
            found => {
                let found = found.map_or("none".into(), |count| count.to_string());
                return Err(Error::argument("num_bins", "at least 2, by `Discretization::num_bins`", found));
            }
        };
        if !(self.epsilon > 0.0 && self.epsilon < 1.0) {
            return Err(Error::argument("epsilon", "a number above 0 and below 1", self.epsilon));
        }
        check_not_empty("x", x)?;
        check_finite::<f64>("x", x)?;
        let boundaries = quantiles::boundaries(x, num_bins, self.epsilon);
        if boundaries.is_empty() {
            return Err(Error::argument("x", "at least two values", "one"));
        }
        self.bin_boundaries = Some(boundaries);
        Ok(self)
    }

    /// The boundaries; none before `adapt`.
    pub fn bin_boundaries(&self) -> &[f64] {
        self.bin_boundaries.as_deref().unwrap_or_default()
    }
}

impl<F: Scalar> Layer<F> for Discretization {
    saved!("Discretization");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        let boundaries = self.bin_boundaries();
        let refused = |found: String| {
            Err(Error::argument("bin_boundaries", "finite numbers in ascending order, or `adapt`", found))
        };
        if boundaries.is_empty() {
            return refused("none".into());
        }
        if let Some(wrong) = boundaries.iter().find(|boundary| !boundary.is_finite()) {
            return refused(wrong.to_string());
        }
        if let Some(pair) = boundaries.windows(2).find(|pair| pair[0] > pair[1]) {
            return refused(format!("{} before {}", pair[0], pair[1]));
        }
        self.output_mode.shape(input, boundaries.len() + 1)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let boundaries = self.bin_boundaries();
        // NaN is above all boundaries, as in NumPy's `digitize`.
        let bin = |x: F| Some(boundaries.partition_point(|&boundary| F::of(boundary) <= x || x.is_nan()));
        self.output_mode.encode(x.data(), y.data(), boundaries.len() + 1, bin);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        if let Some(mut dx) = context.dx {
            dx.data().fill(F::zero());
        }
    }
}

settings!([] Discretization {
    "bin_boundaries": bin_boundaries, "num_bins": num_bins, "epsilon": epsilon, "output_mode": output_mode,
} only { "sparse": false });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use ndarray::array;

    #[test]
    fn bad_boundaries_and_settings_are_refused() {
        let build = |layer: &mut Discretization, input: &[usize]| {
            Layer::<f32>::build(layer, input, &mut BuildContext::new(Rng::stream(1, 1)))
                .unwrap_err()
                .to_string()
        };
        for (boundaries, found) in
            [(vec![], "none"), (vec![0.0, f64::NAN], "NaN"), (vec![1.0, 1.0, 0.5], "1 before 0.5")]
        {
            let error = build(&mut Discretization::new(boundaries), &[2]);
            assert!(
                error.starts_with("`bin_boundaries`") && error.ends_with(&format!("found {found}")),
                "{error}"
            );
        }
        let error = build(&mut Discretization::new([0.0]).output_mode(OutputMode::Count), &[2, 3]);
        assert!(error.starts_with("expected an input of shape"), "{error}");
        let x = array![[1.0], [2.0]];
        for (layer, words) in [
            (Discretization::num_bins(1), "`num_bins`: expected at least 2"),
            (Discretization::num_bins(2).epsilon(1.0), "`epsilon`"),
            (Discretization::num_bins(2).epsilon(f64::NAN), "`epsilon`"),
        ] {
            let error = layer.adapt(&x).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
        let one = Discretization::num_bins(2).adapt(&array![[1.0]]).unwrap_err();
        assert_eq!(one.to_string(), "`x`: expected at least two values, found one");
    }
}
