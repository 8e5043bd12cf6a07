//! Parties that play against each other on the reference chain.
