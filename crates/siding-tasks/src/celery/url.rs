//! The URLs of brokers and result backends.
