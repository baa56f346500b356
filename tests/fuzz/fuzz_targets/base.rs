//! Reading a component as a base: taking it apart, joining its modules, planning its instances. It may be refused, and never panics.

#![no_main]

use blue_faas_fuzz::base::Base;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Base::read(bytes);
});
