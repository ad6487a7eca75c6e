//! After the first epoch a training step does not allocate, and neither does a prediction with a workspace.

use cornu::callback::{Callback, CallbackContext, Flow};
use cornu::ndarray::{Array1, Array2, Array3};
use cornu::optimizer::Optimizer;
use cornu::prelude::*;

use crate::peak::allocations;

/// Records the number of allocations of each step after the first epoch.
struct Watch {
    last: usize,
    steps: Vec<usize>,
}

impl Callback<f32> for Watch {
    fn on_batch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        let now = allocations();
        if at.epoch > 0 && at.batch > 1 {
            self.steps.push(now - self.last);
        }
        self.last = now;
        Ok(Flow::Continue)
    }
}

#[track_caller]
fn check(optimizer: impl Optimizer<f32> + 'static, width: usize, weighted: bool, allowed: usize) {
    let x = Array2::from_shape_fn((330, width), |(i, j)| ((i * 31 + j * 17) % 97) as f32 / 97.0);
    let y = Array1::from_iter((0..330).map(|i| i % 5));
    let weight = Array1::from_iter((0..330).map(|i| 0.5 + (i % 3) as f32));
    let model = Sequential::new()
        .seed(1)
        .add(Flatten::new())
        .add(Dense::new(40).activation(Activation::Relu).kernel_regularizer(Regularizer::L2(1e-4)))
        .add(Dense::new(10).activation(Activation::Gelu { approximate: false }))
        .add(Dense::new(5))
        .add(Softmax::new());
    watch(model, optimizer, (&x, &y), weighted.then_some(&weight), allowed);
}

/// Convolutions, noise, batch statistics and recurrence.
#[track_caller]
fn check_sequences(allowed: usize) {
    let x = Array3::from_shape_fn((330, 20, 3), |(i, j, k)| ((i * 31 + j * 17 + k) % 97) as f32 / 97.0);
    let y = Array1::from_iter((0..330).map(|i| i % 5));
    let model = Sequential::new()
        .seed(1)
        .add(Conv1D::new(8, 3).padding(Padding::Same).activation(Activation::Silu))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.2))
        .add(
            Residual::new()
                .add(SeparableConv1D::new(8, 3).padding(Padding::Same))
                .add(LayerNormalization::new()),
        )
        .add(MaxPooling1D::new(2))
        .add(Bidirectional::new(Lstm::new(6).return_sequences(true)))
        .add(TimeDistributed::new(Dense::new(6)))
        .add(Gru::new(6).reset_after(false).dropout(0.1))
        .add(Dense::new(5).activation(Activation::Softmax));
    let rule = Adam::new(0.001).weight_decay(0.01).global_clip_norm(1.0).accumulate_gradients(2);
    watch(model, rule, (&x, &y), None, allowed);
}

#[track_caller]
fn watch<X: cornu::data::Samples<f32>>(
    mut model: Sequential,
    optimizer: impl Optimizer<f32> + 'static,
    (x, y): (&X, &Array1<usize>),
    weight: Option<&Array1<f32>>,
    allowed: usize,
) {
    let metrics = (Accuracy::new(), Weighted::new(Accuracy::new()));
    model.compile(optimizer, SparseCategoricalCrossentropy::new(), metrics).expect("a model");
    let mut watch = Watch { last: 0, steps: Vec::with_capacity(1000) };
    let folder = std::env::temp_dir().join(format!("cornu-allocation-{}", std::process::id()));
    let backup = BackupAndRestore::new(folder).save_freq(1000);
    let fit =
        Fit::new().epochs(4).batch_size(50).verbose(Verbose::Silent).callback(&mut watch).backup(backup);
    let fit = match weight {
        Some(weight) => fit.sample_weight(weight),
        None => fit,
    };
    model.fit(x, y, &fit).expect("a training");
    drop(fit);
    assert_eq!(watch.steps.len(), 18);
    let steps = watch.steps.iter().filter(|&&count| count > 0).count();
    assert!(steps <= allowed, "{:?}", watch.steps);

    let mut predictor = model.predictor().expect("a model");
    let mut outputs = vec![0.0; 330 * 5];
    predictor.predict_into(x, &mut outputs).expect("outputs");
    let mut predict = || {
        let before = allocations();
        predictor.predict_into(x, &mut outputs).expect("outputs");
        allocations() - before
    };
    let calls = (0..18).filter(|_| predict() > 0).count();
    assert!(calls <= allowed, "{calls} of 18 predictions allocate");
}

fn check_all(allowed: usize) {
    for width in [8, 3000] {
        check(Sgd::new(0.01), width, false, allowed);
        check(Sgd::new(0.01).momentum(0.9), width, true, allowed);
        check(Adam::new(0.001), width, true, allowed);
    }
}

pub fn nothing_is_allocated_once_a_training_runs() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool(1).install(|| check_all(0));
    pool(1).install(|| check_sequences(0));
    // A helper thread that starts late costs rayon an allocation.
    pool(2).install(|| check_all(9));
}
