//! What one function's memory holds that the base's does not: the artifact of a function.
//!
//! A header, a table of runs of 64-byte lines, then their contents. Little-endian throughout.

use sha2::{Digest, Sha256};

use super::memory::{MAX_PAGES, PAGE};
use super::refusal::{Refused, Result, refuse};

/// The last byte is the version of the format.
pub const MAGIC: [u8; 8] = *b"blueimg\x01";
/// Bytes that are compared and stored together: a quarter of what pages of 4 KiB take.
const LINE: usize = 64;
/// Bytes that are looked at first.
const BLOCK: usize = 4096;
/// Runs of an image at most. With more of them, each is better wide than exact.
const MAX_RUNS: usize = 50_000;
/// Bytes that differ at most: a build holds them several times over. What keeps more is built the stock way.
const MAX_CONTENT: usize = 32 * 1024 * 1024;
const HEADER: usize = 8 + 32 + 4 + 4 + 8;
const RUN: usize = 8;

/// SHA-256 of a base.
pub type BaseKey = [u8; 32];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub base: BaseKey,
    /// Of 64 KiB.
    pub pages: usize,
    /// Address and content, in order and apart from each other.
    runs: Vec<(usize, Vec<u8>)>,
}

impl Image {
    /// What has to be changed in `base` to have `memory`, which is not shorter.
    pub fn difference(key: BaseKey, base: &[u8], memory: &[u8]) -> Result<Self> {
        let image = Self::compare(key, base, memory, LINE)?;
        if image.runs.len() <= MAX_RUNS / 2 {
            return Ok(image);
        }
        // Fewer than half of a memory's blocks at most.
        let image = Self::compare(key, base, memory, BLOCK)?;
        if image.runs.len() > MAX_RUNS {
            return refuse("the memory differs from the base's in too many places");
        }
        Ok(image)
    }

    fn compare(key: BaseKey, base: &[u8], memory: &[u8], unit: usize) -> Result<Self> {
        if !memory.len().is_multiple_of(PAGE)
            || memory.len() < base.len()
            || memory.len() > MAX_PAGES * PAGE
        {
            return refuse("the memory has an impossible size");
        }
        let zeros = [0; BLOCK];
        let mut runs: Vec<(usize, Vec<u8>)> = Vec::new();
        let mut left = MAX_CONTENT;
        for (index, block) in memory.chunks(BLOCK).enumerate() {
            let start = index * BLOCK;
            let before = base.get(start..start + BLOCK).unwrap_or(&zeros);
            if before == block {
                continue;
            }
            let parts = block.chunks(unit).zip(before.chunks(unit)).enumerate();
            for (part, (now, _)) in parts.filter(|(_, (now, before))| now != before) {
                let Some(rest) = left.checked_sub(now.len()) else {
                    return refuse(format!(
                        "its memory holds more than {} MB of its own once it is loaded",
                        MAX_CONTENT / 1_000_000
                    ));
                };
                left = rest;
                let address = start + part * unit;
                match runs.last_mut() {
                    Some((run, content)) if *run + content.len() == address => {
                        content.extend_from_slice(now);
                    }
                    _ => runs.push((address, now.to_vec())),
                }
            }
        }
        Ok(Self {
            base: key,
            pages: memory.len() / PAGE,
            runs,
        })
    }

    /// Bytes that differ from the base's.
    pub fn size(&self) -> usize {
        self.runs.iter().map(|(_, content)| content.len()).sum()
    }

    pub fn runs(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.runs
            .iter()
            .map(|(address, content)| (*address, content.as_slice()))
    }

    /// Address, length and content of each run, as the base restores them.
    pub fn pack(&self) -> Vec<u8> {
        let content: usize = self.runs.iter().map(|(_, content)| content.len()).sum();
        let mut packed = Vec::with_capacity(self.runs.len() * RUN + content);
        for (address, content) in &self.runs {
            packed.extend_from_slice(&(*address as u32).to_le_bytes());
            packed.extend_from_slice(&(content.len() as u32).to_le_bytes());
            packed.extend_from_slice(content);
        }
        packed
    }

    /// The function's memory, made of the base's.
    pub fn apply(&self, base: &[u8]) -> Result<Vec<u8>> {
        let length = self.pages * PAGE;
        if base.len() > length {
            return refuse("the image is of another base");
        }
        let mut memory = Vec::with_capacity(length);
        memory.extend_from_slice(base);
        memory.resize(length, 0);
        for (address, content) in &self.runs {
            let place = memory.get_mut(*address..*address + content.len());
            place
                .ok_or_else(|| Refused::new("the image reaches beyond its memory"))?
                .copy_from_slice(content);
        }
        Ok(memory)
    }

    pub fn encode(&self) -> Vec<u8> {
        let content: usize = self.runs.iter().map(|(_, content)| content.len()).sum();
        let mut body = Vec::with_capacity(self.runs.len() * RUN + content);
        for (address, content) in &self.runs {
            body.extend_from_slice(&((address / LINE) as u32).to_le_bytes());
            body.extend_from_slice(&((content.len() / LINE) as u32).to_le_bytes());
        }
        for (_, content) in &self.runs {
            body.extend_from_slice(content);
        }
        let (pages, runs) = (self.pages as u32, self.runs.len() as u32);
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.base);
        bytes.extend_from_slice(&pages.to_le_bytes());
        bytes.extend_from_slice(&runs.to_le_bytes());
        let sum = checksum(&bytes, &body);
        bytes.extend_from_slice(&sum);
        bytes.extend_from_slice(&body);
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let damaged = || Refused::new("the image is damaged");
        let (header, body) = bytes.split_at_checked(HEADER).ok_or_else(damaged)?;
        let (checked, sum) = header.split_at_checked(HEADER - 8).ok_or_else(damaged)?;
        let mut fields = Fields(checked);
        let magic: [u8; 8] = fields.take().ok_or_else(damaged)?;
        if magic != MAGIC {
            return refuse("it is no image of this version");
        }
        if checksum(checked, body) != sum {
            return Err(damaged());
        }
        let base: BaseKey = fields.take().ok_or_else(damaged)?;
        let pages = fields.number().ok_or_else(damaged)?;
        let count = fields.number().ok_or_else(damaged)?;
        if pages > MAX_PAGES || count > MAX_RUNS {
            return refuse("the image is too large");
        }
        let table = count.checked_mul(RUN).ok_or_else(damaged)?;
        let (table, mut content) = body.split_at_checked(table).ok_or_else(damaged)?;
        let mut table = Fields(table);
        // The table was bounded by the length of the file just now.
        let mut runs = Vec::with_capacity(count);
        let mut end = 0;
        for _ in 0..count {
            let start = table.number().ok_or_else(damaged)?.checked_mul(LINE);
            let length = table.number().ok_or_else(damaged)?.checked_mul(LINE);
            let (Some(start), Some(length)) = (start, length) else {
                return Err(damaged());
            };
            let (run, rest) = content.split_at_checked(length).ok_or_else(damaged)?;
            if start < end || length == 0 {
                return Err(damaged());
            }
            end = start.checked_add(length).ok_or_else(damaged)?;
            runs.push((start, run.to_vec()));
            content = rest;
        }
        if !content.is_empty() || end > pages * PAGE {
            return Err(damaged());
        }
        Ok(Self { base, pages, runs })
    }

    /// The base that an encoded image needs; `None` for what is no image.
    pub fn base_of(bytes: &[u8]) -> Option<BaseKey> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        Fields(rest).take()
    }
}

/// Half a SHA-256 would not make damage less likely to be missed than a quarter does.
fn checksum(header: &[u8], body: &[u8]) -> [u8; 8] {
    let mut hasher = Sha256::new();
    hasher.update(header);
    hasher.update(body);
    let digest = hasher.finalize();
    let mut sum = [0; 8];
    for (to, from) in sum.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    sum
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn number(&mut self) -> Option<usize> {
        self.take()
            .map(|field: [u8; 4]| u32::from_le_bytes(field) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: BaseKey = [7; 32];

    /// Memories of one and two pages that differ in a few places.
    fn memories() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let changes = proptest::collection::vec((0..2 * PAGE, any::<u8>()), 0..40);
        (changes.clone(), changes).prop_map(|(before, after)| {
            let mut base = vec![0; PAGE];
            for (place, value) in before {
                base[place % PAGE] = value;
            }
            let mut memory = base.clone();
            memory.resize(2 * PAGE, 0);
            for (place, value) in after {
                memory[place] = value;
            }
            (base, memory)
        })
    }

    proptest! {
        #[test]
        fn a_memory_comes_back_from_its_image((base, memory) in memories()) {
            let image = Image::difference(KEY, &base, &memory).expect("an image");
            let decoded = Image::decode(&image.encode()).expect("decoded");
            prop_assert_eq!(&decoded, &image);
            prop_assert_eq!(decoded.apply(&base).expect("a memory"), memory);
        }

        #[test]
        fn a_damaged_image_is_refused((base, memory) in memories(), place in any::<usize>(), bit in 0..8_u32) {
            let mut bytes = Image::difference(KEY, &base, &memory).expect("an image").encode();
            let place = place % bytes.len();
            bytes[place] ^= 1_u8 << bit;
            prop_assert!(Image::decode(&bytes).is_err());
            prop_assert!(Image::decode(&bytes[..place]).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..400), pages in 0..9000_u32, runs in any::<u32>()) {
            let _ = Image::decode(&body);
            // With a checksum that fits, so that what lies behind it is read.
            let mut bytes = MAGIC.to_vec();
            bytes.extend_from_slice(&KEY);
            bytes.extend_from_slice(&pages.to_le_bytes());
            bytes.extend_from_slice(&(runs % 40).to_le_bytes());
            let sum = checksum(&bytes, &body);
            bytes.extend_from_slice(&sum);
            bytes.extend_from_slice(&body);
            if let Ok(image) = Image::decode(&bytes) {
                prop_assert!(image.apply(&[]).is_ok());
            }
        }
    }

    #[test]
    fn equal_memories_make_an_empty_image() {
        let memory = vec![3; PAGE];
        let image = Image::difference(KEY, &memory, &memory).expect("an image");
        assert_eq!(image.encode().len(), HEADER);
        assert_eq!(Image::base_of(&image.encode()), Some(KEY));
        assert_eq!(Image::base_of(b"\0asm\x0d\0\x01\0"), None);
        assert!(Image::difference(KEY, &memory, &memory[1..]).is_err());
        let large = vec![4; MAX_CONTENT + PAGE];
        assert!(Image::difference(KEY, &memory, &large).is_err());
        assert!(image.apply(&vec![0; 2 * PAGE]).is_err());
    }
}
