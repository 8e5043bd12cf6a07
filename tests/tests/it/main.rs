//! End to end: real nodes, hubs and wallets as processes, over real sockets and disks. Each test
//! starts its own chain on free ports and stops it by process id.

mod absence;
mod bad_input;
mod books;
mod catalogue;
mod crash;
mod demo;
mod faucet;
mod faults;
mod governance;
mod joining;
mod keys;
mod kills;
mod messages;
mod network;
mod operation;
mod orders;
mod parts;
mod pitfalls;
mod processes;
mod restore;
mod routes;
mod scenarios_hubs;
mod scenarios_payments;
mod standby;
mod tower;
mod upgrade;
