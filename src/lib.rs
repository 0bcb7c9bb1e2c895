//! `landbridge`
