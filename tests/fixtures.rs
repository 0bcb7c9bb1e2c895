//! Every folder of `fixtures/` is a test of its name: a project beside what is expected of it.
//!
//! | folder | is |
//! | --- | --- |
//! | `check/<code>-<name>/` | a rule: `bad` has the mistake in one place and `bad.out` the report; `good` is right |
//! | `spec/<case>/`, `published/<case>/` | a project, and its report in `out` |
//! | `compile/<case>/` | a project `in`, and what compile makes of it, `out`; without `in` the project is the example of that name |
//! | `mistakes/<case>/` | the one file in which a project differs from `mistakes/correct`, in one place, and the report in `<case>.out` |
//!
//! `UPDATE=1` writes what is expected.
#![expect(clippy::disallowed_methods, reason = "the harness runs the program on its own files")]

mod golden;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (group, run) in GROUPS {
        for case in folders(group) {
            let name = format!("{group}/{case}");
            let folder = format!("fixtures/{name}");
            trials.push(Trial::test(name, move || run(&folder, &case)));
        }
    }
    for case in folders("../examples") {
        let folder = format!("examples/{case}");
        let out = format!("fixtures/compile/{case}/out");
        trials.push(Trial::test(folder.clone(), move || example(&folder, &out)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The day on which projects are judged.
const DAY: &str = "2026-12-01";

type Run = fn(&str, &str) -> Result<(), Failed>;

const GROUPS: [(&str, Run); 5] = [
    ("check", rule),
    ("spec", report),
    ("published", report),
    ("compile", compile),
    ("mistakes", mistake),
];

/// The folders of a group, by name.
fn folders(group: &str) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(golden::path("fixtures").join(group)) else {
        return BTreeSet::new();
    };
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    folders.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn landbridge(args: &[&str], project: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landbridge"));
    command.args(["--color", "never", "-C"]).arg(golden::path(project)).args(args);
    command.env_remove("CLICOLOR_FORCE").output().expect("the program starts")
}

/// What `check` writes about a project; every warning counts. A rule about rendered files, which
/// stand in the project then, is one of `compile --check`.
fn check(project: &str) -> Result<(Option<i32>, String), Failed> {
    let command: &[&str] =
        if project.contains("/LB6") { &["compile", "--check"] } else { &["check"] };
    let output = landbridge(&[command, &["--fail-on", "warning", "--now", DAY]].concat(), project);
    let text = String::from_utf8(output.stdout)?;
    if !output.stderr.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok((output.status.code(), text))
}

fn example(project: &str, out: &str) -> Result<(), Failed> {
    right(project)?;
    compiled(project, out)
}

/// Nothing is wrong with a project. What this version cannot check may be in it.
fn right(project: &str) -> Result<(), Failed> {
    match check(project)? {
        (Some(0 | 3), text) if text.contains("no findings") => Ok(()),
        (code, text) => Err(format!("{project} has findings (exit code {code:?}):\n{text}").into()),
    }
}

fn clean(project: &str) -> Result<(), Failed> {
    match check(project)? {
        (Some(0), _) => Ok(()),
        (code, text) => Err(format!("{project} is not clean (exit code {code:?}):\n{text}").into()),
    }
}

fn report(folder: &str, _: &str) -> Result<(), Failed> {
    golden::holds(&format!("{folder}/out"), &check(folder)?.1);
    Ok(())
}

/// A rule finds the mistake, and nothing where it is not made.
fn rule(folder: &str, case: &str) -> Result<(), Failed> {
    let (good, bad) = (format!("{folder}/good"), format!("{folder}/bad"));
    if golden::update() && case.starts_with("LB6") {
        compile_again(&good, &bad)?;
    }
    clean(&good)?;
    let (code, text) = check(&bad)?;
    // A policy's code is its name.
    let rule = match case.split_once('-') {
        Some((code, _)) if code != "P" => code,
        _ => case,
    };
    if !text.contains(&format!("[{rule}]: ")) {
        return Err(format!("{bad} has no finding of {rule} (exit code {code:?}):\n{text}").into());
    }
    let places = differences(&files(&golden::path(&good))?, &files(&golden::path(&bad))?);
    if places.len() != 1 {
        return Err(format!("bad and good differ in {} places: {places:#?}", places.len()).into());
    }
    golden::holds(&format!("{bad}.out"), &text);
    Ok(())
}

/// Writes the rendered files of both projects anew; what is wrong with the bad ones stays.
fn compile_again(good: &str, bad: &str) -> Result<(), Failed> {
    let folder = |project: &str| golden::path(project).join("rendered");
    let (old, kept) = (files(&folder(good))?, files(&folder(bad))?);
    landbridge(&["compile", "--force"], good);
    let new = files(&folder(good))?;
    for name in old.keys().chain(new.keys()).filter(|name| old.get(*name) == kept.get(*name)) {
        let file = folder(bad).join(name);
        match new.get(name) {
            Some(content) => {
                fs::create_dir_all(file.parent().ok_or("a file stands in a folder")?)?;
                fs::write(file, content)?;
            }
            None => fs::remove_file(file)?,
        }
    }
    Ok(())
}

/// What somebody published and got wrong is found, in a project that is right otherwise.
fn mistake(folder: &str, case: &str) -> Result<(), Failed> {
    let correct = "fixtures/mistakes/correct";
    if case == "correct" {
        return right(correct);
    }
    let good = files(&golden::path(correct))?;
    let mut bad = good.clone();
    bad.extend(files(&golden::path(folder))?);
    let places = differences(&good, &bad);
    if places.len() != 1 {
        return Err(format!("it differs in {} places: {places:#?}", places.len()).into());
    }
    let project = tempfile::tempdir()?;
    put(project.path(), &bad)?;
    let (code, text) = check(project.path().to_str().ok_or("a temporary folder has no name")?)?;
    if code != Some(1) {
        return Err(format!("the mistake is not found (exit code {code:?}):\n{text}").into());
    }
    golden::holds(&format!("{folder}.out"), &text);
    Ok(())
}

/// Writes files into a folder.
fn put(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Failed> {
    for (path, content) in files {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().ok_or("a file stands in a folder")?)?;
        fs::write(file, content)?;
    }
    Ok(())
}

fn compile(folder: &str, case: &str) -> Result<(), Failed> {
    let project = format!("{folder}/in");
    if golden::path(&project).is_dir() {
        return compiled(&project, &format!("{folder}/out"));
    }
    if golden::path(&format!("examples/{case}")).is_dir() {
        return Ok(());
    }
    Err(format!("{folder} has no project `in`").into())
}

/// What is made of a project, byte by byte.
fn compiled(project: &str, out: &str) -> Result<(), Failed> {
    let made = tempfile::tempdir()?;
    let target = made.path().to_str().ok_or("a temporary folder has no name")?;
    let output = landbridge(&["compile", "--fail-on", "warning", "-o", target], project);
    // 3: something could not be checked, which the report of a `spec` fixture would show.
    if !matches!(output.status.code(), Some(0 | 3)) {
        let text = [output.stdout, output.stderr].concat();
        return Err(format!("{}:\n{}", output.status, String::from_utf8_lossy(&text)).into());
    }
    let out = golden::path(out);
    let made = files(made.path())?;
    if golden::update() {
        if out.exists() {
            fs::remove_dir_all(&out)?;
        }
        return put(&out, &made);
    }
    match &differences(&files(&out)?, &made)[..] {
        [] => Ok(()),
        places => {
            Err(format!("run with UPDATE=1 and read the difference\n{}", places.join("\n")).into())
        }
    }
}

/// All files below a folder, by path.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failed> {
    let mut found = BTreeMap::new();
    let mut open = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        if !folder.exists() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                open.push((entry.path(), format!("{name}/")));
            } else {
                found.insert(name, fs::read(entry.path())?);
            }
        }
    }
    Ok(found)
}

/// The places in which two sets of files differ.
fn differences(kept: &BTreeMap<String, Vec<u8>>, made: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let names: BTreeSet<_> = kept.keys().chain(made.keys()).collect();
    let mut places = Vec::new();
    for name in names {
        match (kept.get(name), made.get(name)) {
            (Some(kept), Some(made)) => {
                let (kept, made) = (String::from_utf8_lossy(kept), String::from_utf8_lossy(made));
                let diff = similar::TextDiff::from_lines(&*kept, &*made);
                let mut diff = diff.unified_diff();
                let hunks = diff.context_radius(0);
                places.extend(hunks.iter_hunks().map(|hunk| format!("{name}:\n{hunk}")));
            }
            (Some(_), None) => places.push(format!("{name} is missing")),
            (None, Some(_)) => places.push(format!("{name} is new")),
            (None, None) => {}
        }
    }
    places
}
