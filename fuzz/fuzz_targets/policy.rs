//! Any bytes as a policy: it is parsed and evaluated on what it is about within its steps, without
//! a panic, and every flaw lies in its text.
//!
//! The first line is the expression, the second a template, the rest JSON: the thing.
#![no_main]

use landbridge::expression::{Environment, Meter, Names, Program, Template, Value};
use libfuzzer_sys::fuzz_target;

const STEPS: u64 = 100_000;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let expression = lines.next().unwrap_or_default();
    let template = lines.next().unwrap_or_default();
    let thing = serde_json::from_str(lines.next().unwrap_or_default());
    let thing: serde_json::Value = thing.unwrap_or_default();
    let names = Names {
        variables: vec!["cluster".to_owned(), "variables.it".to_owned()],
        ..Names::default()
    };
    let program = Program::compile(expression, &names);
    let template = template.lines().next().map(|text| (text, Template::compile(text, &names)));
    let mut environment = Environment::default();
    environment.push(Value::from(&thing));
    environment.push(Value::from(&thing));
    match &program {
        Ok(program) => {
            let mut meter = Meter::new(STEPS);
            match environment.evaluate(program, &mut meter) {
                Ok(value) => assert!(value.to_string().len() < 64 * 1024 * 1024),
                Err(flaw) => assert!(expression.get(flaw.at.clone()).is_some(), "{flaw:?}"),
            }
        }
        Err(flaw) => assert!(expression.get(flaw.at.clone()).is_some(), "{flaw:?}"),
    }
    match &template {
        Some((_, Ok(template))) => {
            let (message, _) = template.fill(&environment, &mut Meter::new(STEPS));
            assert!(message.chars().count() <= 2_000 && !message.contains(char::is_control));
        }
        Some((text, Err(flaw))) => assert!(text.get(flaw.at.clone()).is_some(), "{flaw:?}"),
        None => {}
    }
});
