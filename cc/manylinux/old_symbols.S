// Old versions of symbols of glibc and libstdc++. A linker binds a symbol to its
// newest version; with these, the libraries load wherever TensorFlow's wheel of
// manylinux_2_27 does (glibc 2.27, GLIBCXX_3.4.24).
//
// Linked into a library, a hidden symbol of this file wins over the one that
// glibc exports under the same name. tests/package/symbol_versions_test.py
// fails for a symbol that is too new: give it a line here.

#if defined(__x86_64__)

// Defines `name`, which jumps to `target`. A jump keeps the arguments and the
// return address, by which dlopen and dlsym know their caller.
.macro forward name, target
  .section .text.\name, "ax", @progbits
  .globl \name
  .hidden \name
  .type \name, @function
\name:
  endbr64
  jmp *\target@GOTPCREL(%rip)
  .size \name, . - \name
.endm

// Defines `name`, which jumps to version `version` of the same function.
.macro old_version name, version
  .symver old_\name, \name\()@\version
  forward \name, old_\name
.endm

// glibc 2.34 gave what it moved into libc.so.6 a new version. The CUDA runtime
// calls these.
.irp name, dlclose, dlerror, dlopen, dlsym, dlvsym
  old_version \name, GLIBC_2.2.5
.endr
old_version dlmopen, GLIBC_2.3.4
.irp name, create, detach, getspecific, join, key_create, key_delete, kill, \
    once, setspecific, condattr_setpshared, mutex_trylock, mutexattr_destroy, \
    mutexattr_init, mutexattr_setpshared, mutexattr_settype, rwlock_destroy, \
    rwlock_init, rwlock_rdlock, rwlock_timedrdlock, rwlock_timedwrlock, \
    rwlock_tryrdlock, rwlock_trywrlock, rwlock_unlock, rwlock_wrlock, \
    rwlockattr_destroy, rwlockattr_init, rwlockattr_setpshared, spin_destroy, \
    spin_init, spin_lock, spin_trylock, spin_unlock
  old_version pthread_\name, GLIBC_2.2.5
.endr
.irp name, sem_destroy, sem_init, sem_post, sem_timedwait, sem_trywait, \
    sem_wait, shm_open, shm_unlink
  old_version \name, GLIBC_2.2.5
.endr

// libstdc++ 12 declares condition_variable::wait noexcept.
old_version _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE, \
    GLIBCXX_3.4.11

// std::__throw_bad_array_new_length(), new in libstdc++ 11, throws what the
// older function throws.
forward _ZSt28__throw_bad_array_new_lengthv, __cxa_throw_bad_array_new_length

// Whether the process has one thread, new in glibc 2.32. With "no",
// std::shared_ptr counts atomically, as it did before.
.section .rodata.__libc_single_threaded, "a", @progbits
.globl __libc_single_threaded
.hidden __libc_single_threaded
.type __libc_single_threaded, @object
.size __libc_single_threaded, 1
__libc_single_threaded:
  .byte 0

#endif  // defined(__x86_64__)

.section .note.GNU-stack, "", @progbits
