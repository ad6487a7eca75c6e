//! Eight programs on real data, each under 80 lines and done within seconds, and what they find.
//!
//! They are in the folder `examples` of the crate. Each draws its picture with the feature `plot`; the numbers are of rows that
//! did not train, with the seed that the program states.
//!
//! # Classification: digits
//! A convolutional network on the 1797 scanned digits that scikit-learn carries: accuracy 0.989 on 359 held-out pictures.
//! ```sh
//! cargo run --release --features plot --example digits
//! ```
//!
#![doc = include_str!("../../examples/pictures/digits.svg")]
//!
//! # Regression with an interval
//! How far has a diabetes come after a year? The network answers three quantiles, and 100 further patients say how far the
//! interval must be widened: of 142 held-out patients 119 lie in the 90 % interval as trained, and 133, which is 94 %, in the
//! widened one. The mean absolute error of the median is 43.9, that of a constant 63.7.
//! ```sh
//! cargo run --release --features plot --example regression_interval
//! ```
//!
#![doc = include_str!("../../examples/pictures/regression_interval.svg")]
//!
//! # Real signals, and what the network looks at
//! Does the hand draw a gun, or does it only point? A convolution learns it from 50 signals, and is right on 0.967 of 150 others.
//! Integrated gradients tell which steps make the draw: those where the hand goes to the holster, before it rises. That is
//! so: with its 15 weightiest steps replaced by those of the mean pointing, 2 of 76 draws are still called so; with any 15,
//! 72 are.
//! ```sh
//! cargo run --release --features plot --example saliency
//! ```
//!
#![doc = include_str!("../../examples/pictures/saliency.svg")]
//!
//! # Forecasting
//! An LSTM foretells the sunspots of the next year from the 22 before. From 1951 to 2008 its mean absolute error is 14.3, that of
//! a linear network 15.4, and that of saying "as last year" 25.0.
//! ```sh
//! cargo run --release --features plot --example forecasting
//! ```
//!
#![doc = include_str!("../../examples/pictures/forecasting.svg")]
//!
//! # Odd signals
//! An autoencoder that has only seen Italy's power demand on winter days gives summer days back badly: the area under the ROC
//! curve is 0.970, where the distance to the mean winter day has 0.862. The oddest day beside what comes back:
//! ```sh
//! cargo run --release --features plot --example autoencoder
//! ```
//!
#![doc = include_str!("../../examples/pictures/autoencoder.svg")]
//!
//! # Text
//! Of which language is a surname? Letters, an embedding and a convolution: accuracy 0.726 on 427 names, where a guess has 0.167.
//! ```sh
//! cargo run --release --features plot --example surnames
//! ```
//!
#![doc = include_str!("../../examples/pictures/surnames.svg")]
//!
//! # A search for settings
//! 27 networks drawn at random, of which the hopeless end early. The best is right on 0.983 of 360 digits that chose nothing.
//! ```sh
//! cargo run --release --features plot --example search
//! ```
//!
#![doc = include_str!("../../examples/pictures/search.svg")]
//!
//! # A file larger than memory
//! Five epochs over a file of 256 MiB, whose rows are read in a fresh random order where they lie: R² 0.999 on 4096 other rows,
//! with at most 7.4 MB of memory, however large the file is.
//! ```sh
//! cargo run --release --features plot --example larger_than_memory
//! ```
//!
#![doc = include_str!("../../examples/pictures/larger_than_memory.svg")]
