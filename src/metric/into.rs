//! What can be given as metrics: nothing, several of a kind, or several of different kinds.

use super::Metric;
use crate::scalar::Scalar;

/// What `compile` takes as metrics: `()`, an array or a `Vec` of one kind, or a tuple of several.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([3]).add(Dense::new(1));
/// model.compile(Sgd::new(0.01), MeanSquaredError::new(), (Accuracy::new(), Weighted::new(Accuracy::new())))?;
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait IntoMetrics<F: Scalar> {
    /// The metrics, in order.
    fn into_metrics(self) -> Vec<Box<dyn Metric<F>>>;
}

impl<F: Scalar> IntoMetrics<F> for () {
    fn into_metrics(self) -> Vec<Box<dyn Metric<F>>> {
        Vec::new()
    }
}

impl<F: Scalar, M: Metric<F> + 'static, const N: usize> IntoMetrics<F> for [M; N] {
    fn into_metrics(self) -> Vec<Box<dyn Metric<F>>> {
        self.into_iter().map(|metric| Box::new(metric) as _).collect()
    }
}

impl<F: Scalar, M: Metric<F> + 'static> IntoMetrics<F> for Vec<M> {
    fn into_metrics(self) -> Vec<Box<dyn Metric<F>>> {
        self.into_iter().map(|metric| Box::new(metric) as _).collect()
    }
}

macro_rules! tuples {
    ($($($metric:ident)+;)*) => {$(
        impl<F: Scalar, $($metric: Metric<F> + 'static),+> IntoMetrics<F> for ($($metric,)+) {
            #[allow(non_snake_case)]
            fn into_metrics(self) -> Vec<Box<dyn Metric<F>>> {
                let ($($metric,)+) = self;
                vec![$(Box::new($metric)),+]
            }
        }
    )*};
}

tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E G; A B C D E G H; A B C D E G H I; }
