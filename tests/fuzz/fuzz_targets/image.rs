//! Reading an image: what is accepted is written back as it was.

#![no_main]

use blue_faas_fuzz::base::Image;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = Image::decode(bytes) {
        assert_eq!(image.encode(), bytes);
    }
});
