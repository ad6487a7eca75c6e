//! The guide: from a first network to a served one, and where what you know from other libraries is found here.
//!
//! Every piece of code in it is compiled and run by this crate's tests.
//!
//! | chapter | answers |
//! |---|---|
//! | [`first_network`] | How do I train a network and use it? |
//! | [`data`] | What may `x` and `y` be? How do I scale, split, weigh and stream them? |
//! | [`loss_and_output`] | Which last layer, which loss, which targets, which metric? |
//! | [`why_it_does_not_learn`] | The loss does not move: why? |
//! | [`finding_settings`] | Which learning rate, how many units? |
//! | [`saving_and_serving`] | How do I keep it, bring it elsewhere, and answer requests by it? |
//! | [`your_own_layer`] | How do I add what is not there? |
//! | [`speed_and_threads`] | Why is it slow? How many cores does it take? |
//! | [`many_machines`] | How do I train on several machines, and when does it pay? |
//! | [`examples`] | What do whole programs on real data look like, and what do they find? |
//! | [`from_keras`], [`from_scikit_learn`], [`from_pytorch`] | What is this call named here, and what differs? |

#[doc = include_str!("first_network.md")]
pub mod first_network {}

#[doc = include_str!("data.md")]
pub mod data {}

#[doc = include_str!("loss_and_output.md")]
pub mod loss_and_output {}

#[doc = include_str!("why_it_does_not_learn.md")]
pub mod why_it_does_not_learn {}

#[doc = include_str!("finding_settings.md")]
pub mod finding_settings {}

#[doc = include_str!("saving_and_serving.md")]
pub mod saving_and_serving {}

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
