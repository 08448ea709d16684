//! The HTTP that it answers: a thread a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::Release;

/// Serves until it is ended.
pub fn serve(release: Release) {
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    let node = std::env::var("RELEASE_NODE").unwrap_or_default();
    let slot = if node.contains("_green@") { "green" } else { "blue" };
    thread::sleep(release.slow);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    println!("listening on {port}");
    if let Some(file) = release.dies_at.clone() {
        thread::spawn(move || {
            while !file.exists() {
                thread::sleep(Duration::from_millis(5));
            }
            println!("this release dies");
            std::process::exit(1);
        });
    }
    for stream in listener.incoming().flatten() {
        let release = release.clone();
        thread::spawn(move || answer(stream, &release, slot));
    }
}

/// Answers one request after another. What breaks off is the client's business.
fn answer(stream: TcpStream, release: &Release, slot: &str) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).ok()? == 0 {
            return Some(());
        }
        let mut length = 0_u64;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = Vec::new();
        reader.by_ref().take(length).read_to_end(&mut body).ok()?;
        let path = first.split(' ').nth(1)?;
        if let Some(time) = path.strip_prefix("/slow?ms=") {
            thread::sleep(Duration::from_millis(time.parse().ok()?));
        }
        let unhealthy = release.unhealthy_while.as_ref().is_some_and(|file| file.exists());
        let status = if path == "/health" && unhealthy { 503 } else { 200 };
        let head = format!(
            "HTTP/1.1 {status} -\r\nx-shop-version: {}\r\nx-shop-slot: {slot}\r\n\
             content-length: {}\r\n\r\n",
            release.version,
            body.len()
        );
        writer.write_all(&[head.as_bytes(), &body].concat()).ok()?;
    }
}
