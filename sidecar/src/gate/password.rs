//! Passwords: argon2id, one at a time, where it holds nobody else up.

use std::io;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use vial_protocol::{Code, Problem};

use super::Denied;

/// So few characters a password must have.
pub const LEAST: usize = 12;
/// So many it may have.
pub const MOST: usize = 1024;

/// How much memory a hash takes, in KiB, and how often it goes through it: what OWASP asks for at
/// least.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// So many may wait for their turn: more would wait for longer than a person does.
const WAITING: usize = 32;
/// For how long somebody who finds no place in that queue is sent away.
const LATER: Duration = Duration::from_secs(5);
/// The hash of no password, for names of nobody: they take as long as others.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
                      $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords.
#[derive(Debug)]
pub struct Passwords {
    turn: Semaphore,
    queue: Semaphore,
}

impl Passwords {
    pub(super) fn new() -> Passwords {
        Passwords { turn: Semaphore::new(1), queue: Semaphore::new(WAITING) }
    }

    /// The hash of a password.
    pub(super) async fn hash(&self, password: String) -> Result<String, Denied> {
        self.work(move || {
            let mut salt = [0_u8; 16];
            getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
            argon2()
                .and_then(|it| it.hash_password_with_salt(password.as_bytes(), &salt).ok())
                .map(|hash: PasswordHash| hash.to_string())
                .ok_or_else(|| {
                    Denied::from(Problem::new(Code::Internal, "The password cannot be hashed."))
                })
        })
        .await?
    }

    /// Whether a password has a hash. Without one it takes as long, and is none.
    pub(super) async fn check(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Denied> {
        self.work(move || {
            let known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(NOBODY);
            let right = PasswordHash::new(hash).ok().zip(argon2()).is_some_and(|(hash, argon2)| {
                argon2.verify_password(password.as_bytes(), &hash).is_ok()
            });
            known && right
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Denied> {
        let Ok(_place) = self.queue.try_acquire() else { return Err(Denied::TooSoon(LATER)) };
        let broken = |_| Denied::from(Problem::new(Code::Internal, "The daemon is stopping."));
        let _turn = self.turn.acquire().await.map_err(|_| {
            Denied::from(Problem::new(Code::ShuttingDown, "The daemon is stopping."))
        })?;
        tokio::task::spawn_blocking(work).await.map_err(broken)
    }
}

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, 1, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Refuses what is no password to be set.
pub(super) fn fit(password: &str) -> Result<(), Denied> {
    let length = password.chars().count();
    if (LEAST..=MOST).contains(&length) {
        return Ok(());
    }
    let message = format!("A password has {LEAST} to {MOST} characters, and this has {length}.");
    Err(Denied::from(
        Problem::new(Code::BadRequest, message).next("choose another: four words make a good one"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_has_its_own_hash_and_no_other_has_it() {
        let passwords = Passwords::new();
        let one = passwords.hash("correct horse battery".into()).await.unwrap();
        let other = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other, "each has a salt of its own");
        let check = |password: &str, hash: &str| {
            passwords.check(password.to_owned(), Some(hash.to_owned()))
        };
        assert!(check("correct horse battery", &one).await.unwrap());
        assert!(!check("correct horse batterz", &one).await.unwrap());
        assert!(!check("", &one).await.unwrap());
        assert!(!check("correct horse battery", "nonsense").await.unwrap());
    }

    #[tokio::test]
    async fn the_hash_of_nobody_is_one_that_takes_its_time() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        assert!(hash.hash.is_some());
        for password in ["", "correct horse battery"] {
            assert!(!Passwords::new().check(password.into(), None).await.unwrap());
        }
    }

    #[tokio::test]
    async fn one_is_worked_on_at_a_time_and_few_wait() {
        let passwords = Passwords::new();
        let turn = passwords.turn.acquire().await.unwrap();
        let check = || passwords.check("x".into(), None);
        let waiting = futures_util::future::join_all((0..WAITING).map(|_| check()));
        let mut waiting = std::pin::pin!(waiting);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert!(matches!(check().await, Err(Denied::TooSoon(_))));
        drop(turn);
        assert!(waiting.await.into_iter().all(|it| !it.unwrap()));
    }

    #[test]
    fn what_is_short_or_endless_is_no_password() {
        assert!(fit("elevenchars").is_err());
        assert!(fit("twelve chars").is_ok());
        assert!(fit(&"ä".repeat(MOST)).is_ok());
        assert!(fit(&"ä".repeat(MOST + 1)).is_err());
    }
}
