//! Single rules. The search as a whole is compared with a brute force in `properties.rs`.

mod announcement;
mod find;
mod graph;
mod reliability;
mod split;
mod support;
