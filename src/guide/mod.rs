//! The guide: from a first network to a deployed one, and how calls of other libraries translate.
//!
//! Every code block is compiled and run by this crate's tests.
//!
//! # Learn
//!
//! | chapter | question |
//! |---|---|
//! | [`first_network`] | How do I train a network and use it? |
//! | [`data`] | What can `x` and `y` be? How do I read, scale, split, weight and stream them? |
//! | [`text`] | How do I classify texts, from raw strings to a served model? |
//! | [`loss_and_output`] | Which last layer, loss, targets and metric fit my problem? |
//! | [`why_it_does_not_learn`] | Why does the loss not decrease? |
//! | [`finding_settings`] | Which learning rate, how many units? |
//! | [`saving_and_serving`] | How do I save a model, move it to another tool, and serve predictions? |
//! | [`pictures_and_reports`] | How do I plot a training and its results? |
//! | [`your_own_layer`] | How do I write a layer, loss, metric, optimizer or callback? |
//! | [`speed_and_threads`] | Why is it slow? How many cores does it use? |
//! | [`many_machines`] | How do I train on several machines, and when is it worth it? |
//! | [`examples`] | What do complete programs on real data look like? |
//!
//! # Translate
//!
//! [`from_keras`], [`from_scikit_learn`] and [`from_pytorch`] list what each call is named here and what differs.
//!
//! # Measurements
//!
//! | chapter | contents |
//! |---|---|
//! | [`diagnosis_results`] | how often the diagnosis is right |
//! | [`speed`] | speed compared with other libraries, memory, binary size, build time |
//! | [`published_networks`] | test errors compared with those of a paper |

#[doc = include_str!("first_network.md")]
pub mod first_network {}

#[doc = include_str!("data.md")]
pub mod data {}

#[doc = include_str!("text.md")]
pub mod text {}

#[doc = include_str!("loss_and_output.md")]
pub mod loss_and_output {}

#[doc = include_str!("why_it_does_not_learn.md")]
pub mod why_it_does_not_learn {}

#[doc = include_str!("finding_settings.md")]
pub mod finding_settings {}

#[doc = include_str!("saving_and_serving.md")]
pub mod saving_and_serving {}

#[doc = include_str!("pictures_and_reports.md")]
pub mod pictures_and_reports {}

#[doc = include_str!("your_own_layer.md")]
pub mod your_own_layer {}

#[doc = include_str!("speed_and_threads.md")]
pub mod speed_and_threads {}

#[doc = include_str!("many_machines.md")]
pub mod many_machines {}

pub mod examples;

#[doc = include_str!("from_keras.md")]
pub mod from_keras {}

#[doc = include_str!("from_scikit_learn.md")]
pub mod from_scikit_learn {}

#[doc = include_str!("from_pytorch.md")]
pub mod from_pytorch {}

#[doc = include_str!("diagnosis_results.md")]
pub mod diagnosis_results {}

#[doc = include_str!("speed.md")]
pub mod speed {}

#[doc = include_str!("published_networks.md")]
pub mod published_networks {}
