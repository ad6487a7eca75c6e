//! Architectures as JSON, which are built if they are small.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(model) = cornu::Sequential::from_json(text) else { return };
    let text = model.to_json().unwrap();
    assert_eq!(cornu::Sequential::from_json(&text).unwrap().to_json().unwrap(), text);
});
