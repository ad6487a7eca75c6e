//! The settings of a batch normalisation, and how it reads.

use std::fmt;

use super::BatchNormalization;
use crate::config::settings;

settings!([F] BatchNormalization<F> {
    "momentum": momentum, "epsilon": epsilon, "center": center, "scale": scale, "gamma": gamma,
    "beta": beta, "moving_mean_initializer": moving_mean, "moving_variance_initializer": moving_variance,
} only { "axis": -1, "synchronized": false, "renorm": false } ignore { "renorm_momentum" });

impl<F> fmt::Debug for BatchNormalization<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "BatchNormalization(momentum {}, epsilon {})", self.momentum, self.epsilon)
    }
}
