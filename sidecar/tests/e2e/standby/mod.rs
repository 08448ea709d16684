//! What an idle slot is kept as for the next rollback: with releases without a BEAM, whose library
//! hears and says what the real one does.

mod kept;
mod seen;
mod stage;
mod taken;
mod works;
