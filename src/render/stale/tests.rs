use super::*;
use crate::render::lock::Digest;
use crate::render::write::write;
use crate::system::memory::MemorySystem;

fn files(all: &[(&str, &str)]) -> Files {
    let mut files: Files =
        all.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    files.insert(LOCK.to_owned(), Lock::of(&files).text().into_bytes());
    files
}

fn place() -> Place<'static> {
    Place { output: "rendered", folder: "use1", span: Span::default() }
}

fn findings(system: &MemorySystem, files: &Files) -> Vec<String> {
    let mut found = Diagnostics::new();
    check(system, place(), files, &mut found);
    let unseen = found.unchecked().iter().map(|unseen| format!("{}: {}", unseen.what, unseen.why));
    found.iter().map(|d| format!("{} {}", d.rule.code, d.message)).chain(unseen).collect()
}

fn compiled(files: &Files) -> MemorySystem {
    let system = MemorySystem::new();
    write(&system, "use1", files, false).unwrap();
    system
}

#[test]
fn a_fresh_folder_is_clean_whatever_version_wrote_it() {
    let all = files(&[("a.yaml", "1")]);
    let system = compiled(&all);
    assert_eq!(findings(&system, &all), [] as [&str; 0]);
    let lock = format!("# landbridge 9.9.9\n{}  a.yaml\n", Digest::of(b"1"));
    system.write("use1/landbridge.lock", lock.as_bytes()).unwrap();
    assert_eq!(findings(&system, &all), [] as [&str; 0]);
}

#[test]
fn each_way_to_differ_has_its_rule() {
    let old = files(&[("a.yaml", "1"), ("b.yaml", "2"), ("c.yaml", "3"), ("d.yaml", "4")]);
    let new = files(&[("a.yaml", "one"), ("b.yaml", "2"), ("c.yaml", "3")]);
    let system = compiled(&old).with("use1/mine.txt", "mine");
    system.write("use1/b.yaml", b"edited").unwrap();
    crate::system::System::remove(&system, "use1/c.yaml").unwrap();
    assert_eq!(
        findings(&system, &new),
        [
            "LB6001 `rendered/use1/a.yaml` is not what the topology gives",
            "LB6002 `rendered/use1/b.yaml` holds something that landbridge did not write",
            "LB6003 `rendered/use1/c.yaml` is missing",
            "LB6004 nothing in the topology asks for `rendered/use1/d.yaml` any more",
        ]
    );
}

#[test]
fn a_folder_that_was_never_compiled_is_one_finding() {
    let all = files(&[("a.yaml", "1"), ("b.yaml", "2")]);
    let missing = ["LB6003 the folder `rendered/use1` is missing"];
    assert_eq!(findings(&MemorySystem::new(), &all), missing);
}

#[test]
fn locks_that_are_missing_broken_or_unfinished_are_findings() {
    let all = files(&[("a.yaml", "1")]);
    let system = MemorySystem::new().with("use1/a.yaml", "1");
    assert_eq!(findings(&system, &all), ["LB6003 `rendered/use1/landbridge.lock` is missing"]);
    let system = system.with("use1/landbridge.lock", "../x");
    assert_eq!(
        findings(&system, &all),
        ["LB6002 `rendered/use1/landbridge.lock` cannot be read: \
          line 1: it is not a SHA-256, two spaces and a path"]
    );
    let unfinished = Lock::of(&all).towards(&Lock::of(&all)).text();
    let system = system.with("use1/landbridge.lock", unfinished);
    assert_eq!(
        findings(&system, &all),
        ["LB6001 `rendered/use1/landbridge.lock` says that compile was interrupted"]
    );
}

#[test]
fn what_cannot_be_seen_is_not_clean() {
    let all = files(&[("a.yaml", "1")]);
    let system = MemorySystem::new().with("use1/a.yaml/inner", "1");
    system.write("use1/landbridge.lock", &all[LOCK]).unwrap();
    assert_eq!(findings(&system, &all), ["`rendered/use1/a.yaml`: it is no regular file"]);
}

#[test]
fn the_difference_is_shown() {
    let system = compiled(&files(&[("a.yaml", "x: 1\n")]));
    let mut found = Diagnostics::new();
    check(&system, place(), &files(&[("a.yaml", "x: 2\n")]), &mut found);
    let notes: Vec<_> = found.iter().flat_map(|d| d.notes.clone()).collect();
    assert_eq!(
        notes,
        ["`-` is there, `+` is what the topology gives:\n@@ line 1 @@\n-x: 1\n+x: 2"]
    );
}

#[test]
fn the_folder_of_a_former_cluster_is_a_leftover() {
    let mut found = Diagnostics::new();
    orphan(place(), &mut found);
    let messages: Vec<_> = found.iter().map(|d| (&*d.rule.code, d.message.as_str())).collect();
    let expected = "the folder `rendered/use1` is of a cluster that is not declared";
    assert_eq!(messages, [("LB6004", expected)]);
}
