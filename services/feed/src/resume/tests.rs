use std::fs;

use super::*;

fn origin(file: &Path) -> Origin {
    Origin {
        file: file.to_string_lossy().into(),
        line: None,
    }
}

/// Reads `files`, each with so many records, in one source; gives how many were sent of each. The first
/// `acknowledged` of them are acknowledged, the last of these first.
fn run(resume: &mut Resume, files: &[(&Path, u64)], acknowledged: usize, whole: bool) -> Result<Vec<u64>> {
    let mut tracker = Tracker::default();
    let (mut sent, mut numbers) = (Vec::new(), Vec::new());
    if !resume.begin(0)? {
        return Ok(Vec::new());
    }
    for (file, records) in files {
        let mut count = 0;
        for _ in 0..*records {
            if !resume.passes(&origin(file)) {
                count += 1;
                numbers.extend(resume.sent(0, &mut tracker));
            }
        }
        sent.push(count);
    }
    resume.end()?;
    for number in numbers.iter().take(acknowledged).rev() {
        tracker.settled(*number);
    }
    resume.finish(&tracker, if whole { &[0] } else { &[] });
    Ok(sent)
}

#[test]
fn a_run_goes_on_where_acknowledgements_end() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b, state) = (
        dir.path().join("a"),
        dir.path().join("b"),
        dir.path().join("state"),
    );
    fs::write(&a, "a").unwrap();
    fs::write(&b, "b").unwrap();
    let sources = [Source::Path(dir.path().to_owned())];
    let open = || Resume::open(&state, "t", &sources).unwrap();
    let files = [(a.as_path(), 3), (b.as_path(), 4)];
    assert_eq!(run(&mut open(), &files, 2, true).unwrap(), [3, 4]);
    assert_eq!(run(&mut open(), &files, 3, false).unwrap(), [1, 4]);
    assert_eq!(run(&mut open(), &files, 0, true).unwrap(), [0, 2]);
    // Nothing acknowledged, nothing forgotten. A file that grew is read on.
    fs::write(&b, "bb").unwrap();
    assert_eq!(run(&mut open(), &[files[0], (&b, 9)], 7, true).unwrap(), [0, 7]);
    assert!(run(&mut open(), &files, 0, true).unwrap().is_empty());
}

#[test]
fn what_has_changed_is_not_guessed_at() {
    let dir = tempfile::tempdir().unwrap();
    let (a, state) = (dir.path().join("a"), dir.path().join("state"));
    fs::write(&a, "one").unwrap();
    let sources = [Source::Path(a.clone())];
    run(
        &mut Resume::open(&state, "t", &sources).unwrap(),
        &[(&a, 5)],
        4,
        false,
    )
    .unwrap();
    let again = |records| {
        run(
            &mut Resume::open(&state, "t", &sources).unwrap(),
            &[(&a, records)],
            0,
            false,
        )
    };
    assert!(again(3).unwrap_err().to_string().contains("not what it was"));
    fs::write(&a, "two").unwrap();
    assert!(again(5).unwrap_err().to_string().contains("not what it was"));
    let other = Resume::open(&state, "u", &sources).err().unwrap().to_string();
    assert!(other.contains("about the topic t"), "{other}");
    fs::write(&state, "{}").unwrap();
    assert!(Resume::open(&state, "t", &sources).is_err());
    let twice = [sources[0].clone(), sources[0].clone()];
    assert!(Resume::open(&dir.path().join("x"), "t", &twice).is_err());
    assert!(Resume::open(&dir.path().join("no/x"), "t", &sources).is_err());
}

#[test]
fn nothing_behind_a_lost_record_counts() {
    let mut tracker = Tracker::default();
    let place = |record| Place {
        source: 0,
        file: "a".into(),
        record,
    };
    let numbers: Vec<_> = (1..=4).map(|n| tracker.sent(place(n))).collect();
    tracker.settled(numbers[1]);
    assert_eq!(tracker.done, None);
    tracker.settled(numbers[0]);
    assert_eq!(tracker.done, Some(place(2)));
    tracker.lost();
    tracker.settled(numbers[3]);
    let later = tracker.sent(place(5));
    tracker.settled(later);
    assert_eq!(tracker.done, Some(place(2)));
}
