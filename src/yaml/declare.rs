//! Declarations of the language's types: each makes the type, its decoder and its shape.

/// Declares mappings with known keys: type, decoder and shape in one.
///
/// Each field is `"key" => name: Type`, with a doc comment that becomes its description.
#[macro_export]
macro_rules! object {
    ($(
        $(#[doc = $doc:literal])+
        $vis:vis struct $name:ident {
            $( $(#[doc = $field_doc:literal])+ $key:literal => $field:ident : $type:ty, )*
        }
    )+) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            /// Where it stands.
            pub span: $crate::source::Span,
            /// Keys that are there and could not be read, which has been reported.
            pub broken: Vec<&'static str>,
            $( $(#[doc = $field_doc])+ pub $field: $type, )*
        }

        impl $crate::yaml::fields::Decode for $name {
            fn shape() -> $crate::yaml::shape::Shape {
                fn object() -> $crate::yaml::shape::Object {
                    $crate::yaml::shape::Object {
                        name: stringify!($name),
                        doc: $crate::yaml::shape::doc(&[$($doc),+]),
                        fields: vec![$( $crate::yaml::shape::Field {
                            key: $key,
                            doc: $crate::yaml::shape::doc(&[$($field_doc),+]),
                            required: <$type as $crate::yaml::fields::Decode>::required(),
                            shape: <$type as $crate::yaml::fields::Decode>::shape(),
                        } ),*],
                    }
                }
                $crate::yaml::shape::Shape::Object(object)
            }

            fn decode(
                node: &$crate::yaml::Node,
                found: &mut $crate::diagnostic::Diagnostics,
            ) -> Option<Self> {
                let mut fields = $crate::yaml::fields::Fields::open(node, "a mapping", found)?;
                $( let $field: Option<$type> = fields.take($key, found); )*
                let broken = fields.finish(found);
                Some(Self { span: node.span, broken, $( $field: $field?, )* })
            }
        }
    )+ };
}

/// Declares words of which one may be written: type, decoder and shape in one.
#[macro_export]
macro_rules! choice {
    ($(
        $(#[doc = $doc:literal])+
        $vis:vis enum $name:ident {
            $( $(#[doc = $word_doc:literal])+ $word:literal => $variant:ident, )+
        }
    )+) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        $vis enum $name { $( $(#[doc = $word_doc])+ $variant, )+ }

        impl $name {
            /// The word as it is written.
            pub const fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl $crate::yaml::fields::Decode for $name {
            fn shape() -> $crate::yaml::shape::Shape {
                $crate::yaml::shape::Shape::Choice(vec![
                    $( ($word, $crate::yaml::shape::doc(&[$($word_doc),+])), )+
                ])
            }

            fn decode(
                node: &$crate::yaml::Node,
                found: &mut $crate::diagnostic::Diagnostics,
            ) -> Option<Self> {
                const WORDS: &[&str] = &[$($word),+];
                match $crate::yaml::fields::word(node, WORDS, found)? {
                    $( $word => Some(Self::$variant), )+
                    _ => None,
                }
            }
        }
    )+ };
}
