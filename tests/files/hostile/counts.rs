//! Impossible counts in files with valid checksums return an error when the file is loaded.

use cornu::ndarray::Array2;
use serde_json::Value;

use super::archives::member;
use super::*;
use crate::zip::{Member, archive};

/// A `.safetensors` file with this text of its metadata changed, and a checksum that fits.
pub(crate) fn with_metadata(file: &[u8], name: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let len = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let (header, numbers) = (&file[8..8 + len], &file[8 + len..]);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    let changed = change(header["__metadata__"][name].as_str().unwrap());
    header["__metadata__"][name] = changed.into();
    let mut sum = flate2::Crc::new();
    let mut word = |word: &str| {
        sum.update(&(word.len() as u64).to_le_bytes());
        sum.update(word.as_bytes());
    };
    for (name, text) in header["__metadata__"].as_object().unwrap() {
        if name != "cornu.checksum" {
            word(name);
            word(text.as_str().unwrap());
        }
    }
    let tensors = header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__");
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort_by_key(|(_, about)| about["data_offsets"][0].as_u64());
    for (name, about) in tensors {
        sum.update(&(name.len() as u64).to_le_bytes());
        sum.update(name.as_bytes());
        sum.update(&3u64.to_le_bytes());
        sum.update(about["dtype"].as_str().unwrap().as_bytes());
        about["shape"]
            .as_array()
            .unwrap()
            .iter()
            .for_each(|n| sum.update(&n.as_u64().unwrap().to_le_bytes()));
    }
    sum.update(numbers);
    header["__metadata__"]["cornu.checksum"] = format!("crc32:{:08x}", sum.sum()).into();
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), numbers].concat()
}

fn train(mut model: Sequential) {
    let (x, y) = (Array2::from_elem((5, 6), 0.5f32), Array2::<f32>::zeros((5, 2)));
    for _ in 0..3 {
        model.train_on_batch(&x, &y, &Fit::new()).unwrap();
    }
    model.fit(&x, &y, &Fit::new().epochs(2).verbose(Verbose::Silent)).unwrap();
}

#[test]
fn states_of_safetensors_files() {
    let bytes = saved("safetensors");
    let state = |epochs: u64, steps: u64| {
        let text = format!("{{\"seed\":\"{}\",\"epochs\":\"{epochs}\",\"steps\":\"{steps}\"}}", u64::MAX);
        load(Format::SafeTensors, &with_metadata(&bytes, "cornu.state", |_| text.clone()))
    };
    train(state(3, 7).unwrap());
    train(state((1 << 48) - 1, (1 << 48) - 1).unwrap());
    refused("epochs", state(u64::MAX, 7), "epochs: expected a count below 2^48, found 18446744073709551615");
    refused("steps", state(3, u64::MAX), "steps: expected a count below 2^48, found 18446744073709551615");
}

#[test]
fn states_of_keras_files() {
    let file = {
        let mut model = model();
        model.compile(Nadam::new(0.01), MeanSquaredError::new(), [Accuracy::new()]).unwrap();
        let path = file("keras");
        model.save(&path).unwrap();
        std::fs::read(path).unwrap()
    };
    let [metadata, config, weights] =
        ["metadata.json", "config.json", "model.weights.h5"].map(|name| member(&file, name));
    let with = |epochs: &str, weights: &[u8]| {
        let metadata = String::from_utf8(metadata.clone()).unwrap();
        let metadata = metadata.replace("\"cornu_epochs\":\"0\"", &format!("\"cornu_epochs\":\"{epochs}\""));
        assert!(metadata.contains(epochs));
        load(
            Format::Keras,
            &archive(&[
                Member::stored("metadata.json", metadata.as_bytes()),
                Member::stored("config.json", &config),
                Member::stored("model.weights.h5", weights),
            ]),
        )
    };
    train(with("5", &weights).unwrap());
    refused("epochs", with("18446744073709551615", &weights), "expected a count below 2^48");
    // The optimizer's arrays come last: the step, the learning rate, two for each number that is trained, a product.
    let trained = (6 * 4 + 4) + (4 + 4) + (4 * 2 + 2);
    let step = weights.len() - 4 * (1 + 1 + 2 * trained + 1);
    assert_eq!(weights[step..step + 4], [0; 4]);
    let mut far = weights.clone();
    far[step..step + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    let started = std::time::Instant::now();
    train(with("5", &far).unwrap());
    assert!(started.elapsed().as_secs() < 20, "a far step took {:?}", started.elapsed());
    far[step..step + 4].copy_from_slice(&(-1i32).to_le_bytes());
    refused("a step below 0", with("5", &far), "-1 steps");
}

/// Keras keeps the rate as a variable, which a callback may have changed since the settings were made.
#[test]
fn the_learning_rate_is_that_of_the_arrays() {
    let file = saved("keras");
    let [metadata, config, weights] =
        ["metadata.json", "config.json", "model.weights.h5"].map(|name| member(&file, name));
    let config = String::from_utf8(config).unwrap();
    let changed = config.replacen("\"learning_rate\":0.01", "\"learning_rate\":0.25", 1);
    assert_ne!(changed, config);
    let members = [
        Member::stored("metadata.json", &metadata),
        Member::stored("config.json", changed.as_bytes()),
        Member::stored("model.weights.h5", &weights),
    ];
    let (loaded, whole) =
        (load(Format::Keras, &archive(&members)).unwrap(), load(Format::Keras, &file).unwrap());
    let rate = |model: &Sequential| format!("{:?}", model.compile_config().unwrap());
    assert!(!rate(&loaded).contains("0.25") && rate(&whole).contains("0.01"), "{}", rate(&loaded));
}

/// Adam and RMSprop with momentum have as many arrays, in another order: of Adam's, number 3 is of the first kernel.
#[test]
fn an_array_of_the_optimizer_with_another_shape_is_refused() {
    let other = {
        let (path, mut model) = (file("keras"), model());
        let rule = RmsProp::new(0.01).momentum(0.5);
        model.compile(rule, MeanSquaredError::new(), [Accuracy::new()]).unwrap();
        model.save(&path).unwrap();
        std::fs::read(path).unwrap()
    };
    let members = [("metadata.json", &other), ("config.json", &other), ("model.weights.h5", &saved("keras"))];
    let members = members.map(|(name, file)| (name, member(file, name)));
    let mixed = archive(&members.each_ref().map(|(name, bytes)| Member::stored(name, bytes)));
    let Err(Error::WeightShape { path, expected, found }) = load(Format::Keras, &mixed) else {
        panic!("it was read")
    };
    assert_eq!((&*path, &expected[..], &found[..]), ("optimizer/vars/3", &[4][..], &[6, 4][..]));
}
