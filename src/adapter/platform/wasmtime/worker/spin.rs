//! Spin's interfaces: `variables`, `key-value`, and `wasi:config/store` with the same values as `variables`.

use bytes::Bytes;
use std::sync::Arc;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use super::super::protocol::{Ask, CallId, Reply};
use super::guest::Guest;
use super::server::Server;
use super::settings::Settings;

mod bindings {
    wasmtime::component::bindgen!({
        path: "src/adapter/platform/wasmtime/wit",
        world: "blue-faas:platform/host",
        imports: {
            "fermyon:spin/key-value": async | trappable,
            default: trappable,
        },
        with: { "fermyon:spin/key-value.store": super::OpenStore },
    });
}

use bindings::fermyon::spin::{key_value, variables};
use bindings::wasi::config::store as config;

/// The one store a function can open.
const STORE: &str = "default";

/// A guest's handle. All handles mean the same store: there is only [`STORE`].
pub struct OpenStore;

/// What a guest's calls of these interfaces work on.
pub(super) struct Spin {
    pub settings: Arc<Settings>,
    pub server: Arc<Server>,
    pub call: CallId,
}

impl Spin {
    async fn ask(&self, ask: Ask, value: Bytes) -> Result<Answer, key_value::Error> {
        let other = |text: String| Err(key_value::Error::Other(text));
        match self.server.ask(self.call, ask, value).await {
            (Reply::Done, value) => Ok(Answer::Done(value)),
            (Reply::Missing, _) => Ok(Answer::Missing),
            (Reply::Keys(keys), _) => Ok(Answer::Keys(keys)),
            (Reply::TooLarge(text), _) => other(text),
            (Reply::Failed, _) => other("the key-value store failed".to_owned()),
        }
    }
}

/// What the store answered.
enum Answer {
    Done(Bytes),
    Missing,
    Keys(Vec<String>),
}

pub(super) struct SpinView<'a> {
    pub table: &'a mut ResourceTable,
    pub spin: &'a Spin,
}

impl HasData for Spin {
    type Data<'a> = SpinView<'a>;
}

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    variables::add_to_linker::<Guest, Spin>(linker, Guest::spin)?;
    config::add_to_linker::<Guest, Spin>(linker, Guest::spin)?;
    key_value::add_to_linker::<Guest, Spin>(linker, Guest::spin)
}

/// Spin's rule: a lower-case letter, then lower-case letters, digits and underscores.
fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

impl variables::Host for SpinView<'_> {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<String, variables::Error>> {
        if !is_variable_name(&name) {
            return Ok(Err(variables::Error::InvalidName(name)));
        }
        Ok(self
            .spin
            .settings
            .variables
            .get(&name)
            .cloned()
            .ok_or(variables::Error::Undefined(name)))
    }
}

impl config::Host for SpinView<'_> {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, config::Error>> {
        Ok(Ok(self.spin.settings.variables.get(&key).cloned()))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, config::Error>> {
        Ok(Ok(self
            .spin
            .settings
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()))
    }
}

impl key_value::Host for SpinView<'_> {}

impl key_value::HostStore for SpinView<'_> {
    async fn open(
        &mut self,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, key_value::Error>> {
        if label != STORE {
            return Ok(Err(key_value::Error::NoSuchStore));
        }
        Ok(self
            .table
            .push(OpenStore)
            .map_err(|_| key_value::Error::StoreTableFull))
    }

    async fn get(
        &mut self,
        _store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, key_value::Error>> {
        let answer = self.spin.ask(Ask::Get { key }, Bytes::new()).await;
        Ok(answer.map(|answer| match answer {
            Answer::Done(value) => Some(Vec::from(value)),
            Answer::Missing | Answer::Keys(_) => None,
        }))
    }

    async fn set(
        &mut self,
        _store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), key_value::Error>> {
        let answer = self.spin.ask(Ask::Set { key }, value.into()).await;
        Ok(answer.map(|_| ()))
    }

    async fn delete(
        &mut self,
        _store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), key_value::Error>> {
        let answer = self.spin.ask(Ask::Delete { key }, Bytes::new()).await;
        Ok(answer.map(|_| ()))
    }

    async fn exists(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, key_value::Error>> {
        let value = self.get(store, key).await?;
        Ok(value.map(|value| value.is_some()))
    }

    async fn get_keys(
        &mut self,
        _store: Resource<OpenStore>,
    ) -> wasmtime::Result<Result<Vec<String>, key_value::Error>> {
        let answer = self.spin.ask(Ask::Keys, Bytes::new()).await;
        Ok(answer.map(|answer| match answer {
            Answer::Keys(keys) => keys,
            Answer::Done(_) | Answer::Missing => Vec::new(),
        }))
    }

    async fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_variable_name;

    #[test]
    fn variable_names_follow_spins_rule() {
        for name in ["a", "api_key", "a1"] {
            assert!(is_variable_name(name), "{name}");
        }
        for name in ["", "A", "1a", "_a", "a-b", "a b"] {
            assert!(!is_variable_name(name), "{name}");
        }
    }
}
