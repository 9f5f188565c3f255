;; A contract small enough to be read: one storage cell, one blob, one event, and every way to fail.
;; SIGNATURE_TOPIC is replaced by the signature of the event `Stored`.
(module
  (import "seal0" "input" (func $input (param i32 i32)))
  (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
  (import "seal0" "deposit_event" (func $event (param i32 i32 i32 i32)))
  (import "seal0" "now" (func $now (param i32 i32)))
  (import "seal1" "get_storage" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "seal2" "set_storage" (func $set (param i32 i32 i32 i32) (result i32)))
  (import "seal1" "clear_storage" (func $clear (param i32 i32) (result i32)))
  (import "env" "memory" (memory 2 2))

  (data (i32.const 0) "\00\01\00\00")    ;; size of the input buffer: 256 bytes
  (data (i32.const 8) "vb")              ;; the keys of the value and of the blob
  (data (i32.const 32) "\00\00")         ;; Ok(Ok(u32 at 34))
  (data (i32.const 48) "\00\01\00")      ;; Ok(Err(Refused { value: u32 at 51 }))
  (data (i32.const 64) "\00")            ;; Ok(u32 at 65)
  (data (i32.const 72) "\04\00\00\00")   ;; size of the value buffer
  (data (i32.const 80) "\01\01")         ;; Err(LangError::CouldNotReadInput)
  (data (i32.const 128) "\00")           ;; Ok(u64 at 129)
  (data (i32.const 144) "\08\00\00\00")  ;; size of the timestamp buffer
  (data (i32.const 160) "\04SIGNATURE_TOPIC") ;; one topic
  ;; 256..512: input, selector and then the argument at 260; 1024..: the blob, all zero

  (func $store
    (drop (call $set (i32.const 8) (i32.const 1) (i32.const 260) (i32.const 4)))
    (call $event (i32.const 160) (i32.const 33) (i32.const 260) (i32.const 4)))

  (func $refuse (param $value i32)
    (i32.store (i32.const 51) (local.get $value))
    (call $return (i32.const 1) (i32.const 48) (i32.const 7)))

  (func $succeed (param $value i32)
    (i32.store (i32.const 34) (local.get $value))
    (call $return (i32.const 0) (i32.const 32) (i32.const 6)))

  ;; new(value: u32) -> Result<Self, ProbeError>: refuses zero
  (func (export "deploy")
    (call $input (i32.const 256) (i32.const 0))
    (if (i32.eqz (i32.load (i32.const 260))) (then (call $refuse (i32.const 0))))
    (call $store))

  (func (export "call") (local $selector i32) (local $argument i32)
    (call $input (i32.const 256) (i32.const 0))
    (local.set $selector (i32.load (i32.const 256)))
    (local.set $argument (i32.load (i32.const 260)))

    ;; set(value) -> Result<u32, ProbeError>
    (if (i32.eq (local.get $selector) (i32.const 1)) (then
      (call $store)
      (call $succeed (local.get $argument))))
    ;; get() -> u32
    (if (i32.eq (local.get $selector) (i32.const 2)) (then
      (drop (call $get (i32.const 8) (i32.const 1) (i32.const 65) (i32.const 72)))
      (call $return (i32.const 0) (i32.const 64) (i32.const 5))))
    ;; refuse(value) -> Result<u32, ProbeError>: stores, then fails
    (if (i32.eq (local.get $selector) (i32.const 3)) (then
      (call $store)
      (call $refuse (local.get $argument))))
    ;; trap() -> Result<(), ProbeError>: stores, then traps
    (if (i32.eq (local.get $selector) (i32.const 4)) (then
      (call $store)
      (unreachable)))
    ;; burn() -> Result<(), ProbeError>: never ends
    (if (i32.eq (local.get $selector) (i32.const 5)) (then
      (loop $forever (br $forever))))
    ;; resize(bytes) -> Result<u32, ProbeError>: sets the blob's size, zero removes it
    (if (i32.eq (local.get $selector) (i32.const 6)) (then
      (if (i32.eqz (local.get $argument))
        (then (drop (call $clear (i32.const 9) (i32.const 1))))
        (else (drop (call $set (i32.const 9) (i32.const 1) (i32.const 1024) (local.get $argument)))))
      (call $succeed (local.get $argument))))
    ;; time() -> u64
    (if (i32.eq (local.get $selector) (i32.const 7)) (then
      (call $now (i32.const 129) (i32.const 144))
      (call $return (i32.const 0) (i32.const 128) (i32.const 9))))

    (call $return (i32.const 1) (i32.const 80) (i32.const 2))))
