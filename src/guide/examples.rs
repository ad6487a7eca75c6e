//! Eight programs of fewer than 80 lines, seven of them on real data, with their results. Each finishes within seconds.
//!
//! The programs are in the folder `examples`. With the feature `plot` each draws its picture. The numbers are for held-out rows, with
//! the seed that the program states.
//!
//! # Classification: digits
//! A convolutional network on the 1797 scanned digits of scikit-learn: accuracy 0.989 on 359 held-out images.
//! ```sh
//! cargo run --release --features csv,plot --example digits
//! ```
//!
#![doc = include_str!("../../examples/pictures/digits.svg")]
//!
//! # Regression with an interval
//! The network predicts three quantiles of the progression of diabetes after a year, and 100 further patients calibrate the interval by
//! conformal prediction: of 142 held-out patients, 119 lie in the 90 % interval as trained, and 133, or 94 %, in the
//! calibrated one. The mean absolute error of the median is 43.9, that of a constant 63.7.
//! ```sh
//! cargo run --release --features csv,plot --example regression_interval
//! ```
//!
#![doc = include_str!("../../examples/pictures/regression_interval.svg")]
//!
//! # Attribution on real signals
//! Does the hand draw a gun, or does it only point? A convolutional network trained on 50 signals has accuracy 0.967 on 150 test signals.
//! Integrated gradients show which steps decide for a draw: those at which the hand moves to the holster, before it rises. A test
//! confirms this: with the 15 most important steps replaced by those of the mean pointing signal, 2 of 76 draws are still classified as draws; with
//! 15 random steps replaced, 72 are.
//! ```sh
//! cargo run --release --features csv,plot --example saliency
//! ```
//!
#![doc = include_str!("../../examples/pictures/saliency.svg")]
//!
//! # Forecasting
//! An LSTM predicts the sunspots of the next year from the previous 22. From 1951 to 2008 its mean absolute error is 14.3; a linear
//! network reaches 15.4, and repeating the last year 25.0.
//! ```sh
//! cargo run --release --features csv,plot --example forecasting
//! ```
//!
#![doc = include_str!("../../examples/pictures/forecasting.svg")]
//!
//! # Anomaly detection
//! An autoencoder trained only on Italy's power demand on winter days reconstructs summer days badly: the area under the ROC
//! curve is 0.970; the distance to the mean winter day gives 0.862. The picture shows the most anomalous day and its reconstruction:
//! ```sh
//! cargo run --release --features csv,plot --example autoencoder
//! ```
//!
#![doc = include_str!("../../examples/pictures/autoencoder.svg")]
//!
//! # Text
//! Which language does a surname come from? A character embedding and a convolution: accuracy 0.726 on 427 held-out names; guessing: 0.167.
//! ```sh
//! cargo run --release --features csv,plot --example surnames
//! ```
//!
#![doc = include_str!("../../examples/pictures/surnames.svg")]
//!
//! `examples/words.rs` reads words instead of letters: a `Tokenizer`, a mask and an LSTM, saved with the model and served on strings.
//! ```sh
//! cargo run --release --features keras --example words
//! ```
//!
//! # A search for settings
//! 27 random networks with successive halving. The best has accuracy 0.983 on 360 held-out digits.
//! ```sh
//! cargo run --release --features csv,plot --example search
//! ```
//!
#![doc = include_str!("../../examples/pictures/search.svg")]
//!
//! # A file larger than memory
//! Five epochs over a file of 256 MiB, whose rows are read in place in a new random order each epoch: R² 0.999 on 4096 held-out rows,
//! with at most 7.4 MB of memory for any file size.
//! ```sh
//! cargo run --release --features plot --example larger_than_memory
//! ```
//!
#![doc = include_str!("../../examples/pictures/larger_than_memory.svg")]
