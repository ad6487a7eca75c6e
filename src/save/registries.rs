//! What a loader can construct: the registries of all families.

use crate::config::Registry;
use crate::layer::{self, Layer};
use crate::loss::{self, Loss};
use crate::metric::{self, Metric};
use crate::optimizer::{self, Optimizer, Schedule};
use crate::scalar::Scalar;

/// The registries of all families.
#[derive(Debug, Clone)]
pub(crate) struct Registries<F: Scalar> {
    pub(crate) layers: Registry<dyn Layer<F>>,
    pub(crate) losses: Registry<dyn Loss<F>>,
    pub(crate) metrics: Registry<dyn Metric<F>>,
    pub(crate) optimizers: Registry<dyn Optimizer<F>>,
    pub(crate) schedules: Registry<dyn Schedule>,
}

impl<F: Scalar> Registries<F> {
    /// Returns the registries of the built-in layers, losses, metrics, optimizers and schedules.
    pub(crate) fn built_in() -> Self {
        Registries {
            layers: layer::registry(),
            losses: loss::registry(),
            metrics: metric::registry(),
            optimizers: optimizer::registry(),
            schedules: optimizer::schedules(),
        }
    }
}
