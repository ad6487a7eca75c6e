//! The settings of a batch normalisation.

use super::BatchNormalization;
use crate::config::settings;

settings!([F] BatchNormalization<F> {
    "momentum": momentum, "epsilon": epsilon, "center": center, "scale": scale, "gamma": gamma,
    "beta": beta, "moving_mean_initializer": moving_mean, "moving_variance_initializer": moving_variance,
} only { "axis": -1, "synchronized": false, "renorm": false } ignore { "renorm_momentum" });
