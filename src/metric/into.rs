//! The values that `compile` accepts as metrics.

use super::Metric;
use crate::scalar::Scalar;

/// The metrics of `compile`: `()`, an array or `Vec` of one type, or a tuple of several types.
///
/// # Example
/// ```
/// use cornu::metric::IntoMetrics;
/// use cornu::prelude::*;
/// let metrics = IntoMetrics::<f32>::into_metrics((Accuracy::new(), Weighted::new(Accuracy::new())));
/// assert_eq!(metrics.len(), 2);
/// ```
pub trait IntoMetrics<F: Scalar> {
    /// Returns the metrics in order.
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
            #[allow(non_snake_case)] // a type and its value share a name
            fn into_metrics(self) -> Vec<Box<dyn Metric<F>>> {
                let ($($metric,)+) = self;
                vec![$(Box::new($metric)),+]
            }
        }
    )*};
}

tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E G; A B C D E G H; A B C D E G H I; }
