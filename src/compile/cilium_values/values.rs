//! A tree of Helm values while it is written, key by key.

use serde_json::{Map, Value};

/// Helm values. Keys keep the order in which they are first set.
#[derive(Debug, Default)]
pub(super) struct Values(Map<String, Value>);

impl Values {
    /// No values.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Sets a key, written as for Helm's `--set` but without dots inside of names.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        let mut path = key.split('.');
        let last = path.next_back().unwrap_or(key);
        let parent = path.fold(&mut self.0, |map, name| {
            let child = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
            child.as_object_mut().expect("internal error: a value stands where a mapping is set")
        });
        parent.insert(last.to_owned(), value.into());
    }

    /// Sets a key if there is a value for it.
    pub(super) fn set_some(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    /// The finished tree.
    pub(super) fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}

/// A list of texts.
pub(super) fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> Value {
    items.into_iter().map(|item| Value::String(item.to_string())).collect()
}
