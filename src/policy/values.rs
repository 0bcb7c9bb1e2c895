//! A small set of texts.

/// Texts, sorted, each once. Most requirements have one, for which a tree would be large.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Values(Box<[Box<str>]>);

impl Values {
    /// One text.
    pub fn one(value: impl Into<Box<str>>) -> Self {
        Self(Box::new([value.into()]))
    }

    /// Whether a text is among them.
    pub fn contains(&self, value: &str) -> bool {
        self.0.binary_search_by(|known| (**known).cmp(value)).is_ok()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Box<str>> {
        self.0.iter()
    }

    /// The first one.
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(|value| &**value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of them are among others.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|value| other.contains(value))
    }

    /// Whether all others are among them.
    pub fn is_superset(&self, other: &Self) -> bool {
        other.is_subset(self)
    }

    /// Whether none of them is among others.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        !self.iter().any(|value| other.contains(value))
    }
}

impl FromIterator<Box<str>> for Values {
    fn from_iter<T: IntoIterator<Item = Box<str>>>(values: T) -> Self {
        let mut values: Vec<Box<str>> = values.into_iter().collect();
        values.sort_unstable();
        values.dedup();
        Self(values.into_boxed_slice())
    }
}

impl<'a> IntoIterator for &'a Values {
    type Item = &'a Box<str>;
    type IntoIter = std::slice::Iter<'a, Box<str>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(texts: &[&str]) -> Values {
        texts.iter().map(|text| Box::from(*text)).collect()
    }

    #[test]
    fn values_are_a_set() {
        let (few, all) = (values(&["b", "a", "b"]), values(&["a", "b", "c"]));
        assert_eq!((few.len(), few.first()), (2, Some("a")));
        assert!(few.is_subset(&all) && all.is_superset(&few));
        assert!(!all.is_subset(&few) && !few.is_superset(&all));
        assert!((&few).into_iter().eq([Box::from("a"), "b".into()].iter()));
        assert!(few.is_disjoint(&Values::one("c")) && !few.is_disjoint(&all));
        assert!(all.contains("c") && !few.contains("c") && Values::default().is_empty());
        assert!(!few.is_empty());
    }
}
