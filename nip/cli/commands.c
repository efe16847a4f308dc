// SPDX-License-Identifier: Apache-2.0
//
// The table of commands: what the parser accepts, what --help shows and what the man page says.

#include "commands.h"

#define ARCH_HELP "riscv64, aarch64, x86_64, a list with commas, or all"

const struct cli_option_spec cli_global_options[] = {
    {"help", 'h', NULL, "show help for the command"},
    {"version", 0, NULL, "show the version"},
    {"directory", 'C', "DIR", "work in folder DIR"},
    {"json", 0, NULL, "report as JSON on standard output; docs/json.md says which commands report"},
    {"color", 0, "WHEN", "auto, always or never; NO_COLOR is honoured"},
    {"quiet", 'q', NULL, "print only what was asked for"},
    {"verbose", 'v', NULL, "print the exact commands that are run"},
    {"jobs", 'j', "N", "run at most N compilers and other programs at once"},
    {"locked", 0, NULL, "fail rather than change nip.lock"},
    {"offline", 0, NULL, "take nothing from a registry: only from the cache and the SDK"},
    {"frozen", 0, NULL, "--locked and --offline"},
    {NULL, 0, NULL, NULL},
};

static const struct cli_option_spec new_options[] = {
    {"template", 0, "NAME",
     "what to begin with: driver (default), service, virtio, mmio or library"},
    {"build", 0, "SYSTEM", "let cmake, meson or make build it instead of nip itself"},
    {"image", 0, NULL, "make an image project instead of a driver"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example new_examples[] = {
    {"nip new hello", "driver local/hello in folder hello"},
    {"nip new --template service acme/clock", "driver acme/clock, which offers a service"},
    {"nip new --template library crc", "headers and code for other packages"},
    {"nip new --build cmake hello", "with a CMakeLists.txt, which nip build calls"},
    {"nip new --image box", "image local/box in folder box"},
    {NULL, NULL},
};

static const struct cli_option_spec build_options[] = {
    {"arch", 0, "LIST", ARCH_HELP " (default: all of the package)"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example build_examples[] = {
    {"nip build", "every architecture that npl.kdl names"},
    {"nip build --arch riscv64 --verbose", "one, and show the exact commands"},
    {NULL, NULL},
};

static const struct cli_option_spec fmt_options[] = {
    {"check", 0, NULL, "change nothing; fail when a file is laid out differently"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example fmt_examples[] = {
    {"nip fmt", "npl.kdl, image.kdl, nip.trust.kdl and nip.workspace.kdl of this folder"},
    {"nip fmt --check npl.kdl", "for a commit hook or CI"},
    {NULL, NULL},
};

static const struct cli_option_spec test_options[] = {
    {"arch", 0, "LIST", ARCH_HELP " (default: all of the package)"},
    {"host", 0, NULL, "only the tests on this computer"},
    {"junit", 0, "FILE", "also write the results as JUnit's XML"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example test_examples[] = {
    {"nip test", "on this computer, then in the emulator on every architecture"},
    {"nip test --host", "the quick ones"},
    {"nip test --junit build/tests.xml", "for a CI system"},
    {NULL, NULL},
};

static const struct cli_option_spec check_options[] = {
    {"registry", 0, "WHERE", "compare the sizes with the last version published there"},
    {"no-build", 0, NULL, "judge what stands in build/ as it is"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example check_examples[] = {
    {"nip check", "what publishing asks of the package, and how big it is"},
    {"nip check --registry file:../reg", "and how much it has grown"},
    {NULL, NULL},
};

static const struct cli_option_spec size_options[] = {
    {"registry", 0, "WHERE", "compare with the last version published there"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example size_examples[] = {
    {"nip size", "what is in build/, made up to date first"},
    {"nip size --registry file:../reg", "and how much it has grown"},
    {NULL, NULL},
};

static const struct cli_option_spec run_options[] = {
    {"arch", 0, "LIST",
     ARCH_HELP " (default: this computer's, if it is one of them, else riscv64)"},
    {"machine", 0, "NAME",
     "another machine than the usual one: q35 or microvm-pci of x86_64, virt-gic3 or virt-pci of "
     "aarch64, virt-pci of riscv64"},
    {"memory", 0, "MIB", "memory of the machine in MiB"},
    {"disk", 0, "FILE", "attach a raw disk; may be repeated"},
    {"timeout", 0, "SECONDS", "end the machine after this time"},
    {"timeline", 0, NULL, "show when each stage of the boot was complete and each package started"},
    {"gdb", 0, NULL, "wait for a debugger on 127.0.0.1:1234 before the first instruction"},
    {"relock", 0, NULL, "accept another kernel and other drivers of the SDK than nip.lock names"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example run_examples[] = {
    {"nip run", "in a driver or image project"},
    {"nip run --arch all", "one machine after the other"},
    {"nip run --machine q35", "on a PC with ACPI tables and PCI devices"},
    {"nip run build/box-riscv64.elf", "a finished image"},
    {"nip run --disk disk.img --timeout 30", "with a disk, for at most 30 seconds"},
    {NULL, NULL},
};

static const struct cli_option_spec crash_options[] = {
    {"debug", 0, "DIR", "look for debug files here first; may be repeated"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example crash_examples[] = {
    {"nip run --json > run.json; nip crash run.json", "function, file and line of each fault"},
    {"nip crash console.log --debug ../release-1.2",
     "out of a log, with debug files kept elsewhere"},
    {"nip run 2>&1 | nip crash", "at once"},
    {NULL, NULL},
};

static const struct cli_option_spec key_new_options[] = {
    {"no-password", 0, NULL, "do not encrypt the secret key: for demonstrations and CI only"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example key_new_examples[] = {
    {"nip key new", "make the key 'default'"},
    {"nip key new owner", "a second key, for images"},
    {NULL, NULL},
};
static const struct cli_example key_show_examples[] = {
    {"nip key show", "all keys of this user"},
    {"nip key show owner", "one of them"},
    {NULL, NULL},
};
static const struct cli_option_spec key_trust_options[] = {
    {"threshold", 0, "N", "so many of the keys must have signed"},
    {"add", 0, NULL, "keep the keys that are accepted already"},
    {"replace", 0, NULL, "accept these instead: the old key is lost (needs --reason)"},
    {"reason", 0, "TEXT", "why; kept in nip.trust.kdl"},
    {"statement", 0, "FILE", "follow a rotation or revocation that the publisher has signed"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example key_trust_examples[] = {
    {"nip key trust acme/clock RWQ...", "accept this key for one package"},
    {"nip key trust 'acme/*' acme.pub", "accept the key in a file for a namespace"},
    {"nip key trust acme/clock a.pub b.pub --threshold 2", "both must have signed"},
    {"nip key trust --statement acme-clock.rotation-1", "take the publisher's new keys"},
    {NULL, NULL},
};

static const struct cli_option_spec key_rotate_options[] = {
    {"old", 0, "KEY", "a key before (repeat; default: those of nip.trust.kdl)"},
    {"new", 0, "KEY", "a key after; repeat for several"},
    {"threshold", 0, "N", "so many of the new keys must sign packages (default: 1)"},
    {"serial", 0, "N", "number of the statement (default: the last one and 1)"},
    {"out", 0, "FILE", "where to write it"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example key_rotate_examples[] = {
    {"nip key rotate acme/clock --old default --new next", "both are yours: signed at once"},
    {"nip sign acme-clock.rotation-1 --key other", "one more owner signs it"},
    {NULL, NULL},
};

static const struct cli_option_spec key_revoke_options[] = {
    {"keep", 0, "ID", "a package id that stays valid; may be repeated"},
    {"keep-locked", 0, NULL, "what nip.lock holds stays valid"},
    {"reason", 0, "TEXT", "why; kept in nip.trust.kdl"},
    {"out", 0, "FILE", "write a statement for others instead of changing this project"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example key_revoke_examples[] = {
    {"nip key revoke 'acme/*' old.pub --reason stolen", "nothing that it signed counts here"},
    {"nip key revoke acme/clock default --out lost", "a statement, signed, for others"},
    {NULL, NULL},
};

static const struct cli_example pack_examples[] = {
    {"nip pack", "build, then write build/pack with the list of digests"},
    {NULL, NULL},
};

static const struct cli_option_spec sign_options[] = {
    {"key", 0, "NAME", "the key to sign with (default: as the settings say, else 'default')"},
    {"import", 0, "FILE", "take a signature that minisign made instead"},
    {"by", 0, "KEY", "the key of the publisher, if nothing here vouches for it"},
    {"registry", 0, "WHERE", "with NAME: the registry to whose package it is attached"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example sign_examples[] = {
    {"nip sign", "sign build/pack, write the .npl file"},
    {"nip sign clock-1.0.0.npl --key second", "one more signature, beside the file"},
    {"nip sign acme/clock --registry file:../reg", "one more, attached to the published package"},
    {"nip sign --import digests.minisig", "with a signature made elsewhere"},
    {NULL, NULL},
};

static const struct cli_option_spec verify_options[] = {
    {"key", 0, "KEY", "the key that must have signed: a file, a name of 'nip key show', or RWQ..."},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example verify_examples[] = {
    {"nip verify build/hello-0.1.0.npl", "a package"},
    {"nip verify build/box-riscv64.elf --key owner", "an image"},
    {NULL, NULL},
};

static const struct cli_option_spec rebuild_options[] = {
    {"source", 0, "FILE", "its source archive (default: beside the package, or of the registry)"},
    {"registry", 0, "WHERE", "where NAME@VERSION is: file:FOLDER, or an alias"},
    {"trust", 0, "FINGERPRINT", "accept the publisher's key with this fingerprint"},
    {"key", 0, "KEY", "the key that must have signed: a file, a name of 'nip key show', or RWQ..."},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example rebuild_examples[] = {
    {"nip rebuild build/hello-0.1.0.npl", "a package of your own"},
    {"nip rebuild acme/clock@1.0.0 --registry file:../reg", "package and source out of a registry"},
    {"nip rebuild clock-1.0.0.npl --source clock-1.0.0.source.tar", "somebody else's"},
    {NULL, NULL},
};

static const struct cli_example inspect_examples[] = {
    {"nip inspect build/hello-0.1.0.npl", "a package"},
    {"nip inspect build/box-riscv64.elf --json", "an image, for a program"},
    {NULL, NULL},
};

static const struct cli_option_spec diff_options[] = {
    {"key", 0, "KEY", "the key that must have signed both"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example diff_examples[] = {
    {"nip diff hello-0.1.0.npl hello-0.2.0.npl", "what an update asks for beyond what it had"},
    {"nip diff before.trust.kdl nip.trust.kdl", "whose signatures count now"},
    {"nip diff old.elf build/box-riscv64.elf", "what the new image lets its packages do"},
    {NULL, NULL},
};

static const struct cli_option_spec publish_options[] = {
    {"registry", 0, "WHERE", "file:FOLDER, or an alias of nip.trust.kdl"},
    {"key", 0, "NAME", "the key to sign with (default: as the settings say, else 'default')"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example publish_examples[] = {
    {"nip publish --registry file:../reg", "build, pack, sign, and put it there"},
    {NULL, NULL},
};

static const struct cli_option_spec search_options[] = {
    {"registry", 0, "WHERE", "only there: file:FOLDER or an alias (default: all that are known)"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example search_examples[] = {
    {"nip search virtio block", "name or description has both words"},
    {"nip search --registry file:../reg", "everything that a registry has"},
    {NULL, NULL},
};

static const struct cli_option_spec info_options[] = {
    {"registry", 0, "WHERE", "ask there: file:FOLDER or an alias (default: nip.lock, then all)"},
    {"key", 0, "KEY", "the key that must have signed: a file, a name of 'nip key show', or RWQ..."},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example info_examples[] = {
    {"nip info rumpk/virtio-blk", "a driver of the SDK, or what nip.lock names"},
    {"nip info acme/clock@1.2.0 --registry file:../reg", "one version of a registry"},
    {"nip info clock-1.2.0.npl --key clock.pub", "a file"},
    {NULL, NULL},
};

static const struct cli_option_spec owner_options[] = {
    {"registry", 0, "WHERE", "hints of this registry only (default: all that are known)"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example owner_examples[] = {
    {"nip owner acme/clock", "whose signature counts here, and what registries say"},
    {NULL, NULL},
};

static const struct cli_option_spec fetch_options[] = {
    {"registry", 0, "WHERE", "file:FOLDER, or an alias (default: sdk)"},
    {"out", 0, "FILE", "where to write it (default: NAME-VERSION.npl)"},
    {"source", 0, NULL, "its source archive too, as NAME-VERSION.source.tar"},
    {"debug", 0, NULL, "its debug files too, as NAME-VERSION.ARCH-driver.debug"},
    {"trust", 0, "FINGERPRINT", "accept the publisher's key with this fingerprint"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example fetch_examples[] = {
    {"nip fetch local/hello --registry file:../reg", "the highest version"},
    {"nip fetch rumpk/virtio-blk@0.1.0", "one version, from the SDK"},
    {"nip fetch", "everything that this project's nip.lock names"},
    {NULL, NULL},
};

static const struct cli_option_spec add_options[] = {
    {"registry", 0, "WHERE", "file:FOLDER, or an alias of nip.trust.kdl"},
    {"path", 0, "DIR", "use the driver project in DIR instead of a published package"},
    {"trust", 0, "FINGERPRINT", "accept the publisher's key with this fingerprint"},
    {"yes", 'y', NULL, "grant what the package requests without asking"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example add_examples[] = {
    {"nip add local/hello --registry file:../reg", "pull a package into the image"},
    {"nip add --path ../hello", "work on a driver and its image at once"},
    {"nip add rumpk/virtio-blk", "a driver of the SDK"},
    {NULL, NULL},
};

static const struct cli_option_spec update_options[] = {
    {"trust", 0, "FINGERPRINT", "accept a publisher's key with this fingerprint"},
    {"yes", 'y', NULL, "grant what a newer version asks for in addition without asking"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example update_examples[] = {
    {"nip update", "everything to the highest version of its class"},
    {"nip update acme/ring", "one of them"},
    {NULL, NULL},
};
static const struct cli_example remove_examples[] = {
    {"nip remove acme/ring", "a library out of npl.kdl, a driver out of image.kdl"},
    {NULL, NULL},
};
static const struct cli_example tree_examples[] = {
    {"nip tree", "libraries of a package, or drivers of an image and who serves whom"},
    {NULL, NULL},
};
static const struct cli_example why_examples[] = {
    {"nip why acme/ring", "every package that asks for it, and the way to it"},
    {NULL, NULL},
};
static const struct cli_example outdated_examples[] = {
    {"nip outdated", "what is newer than nip.lock"},
    {NULL, NULL},
};
static const struct cli_example audit_examples[] = {
    {"nip audit", "exit status 1 when anything is known against a package"},
    {"nip audit --json", "for a program"},
    {NULL, NULL},
};

static const struct cli_option_spec image_options[] = {
    {"arch", 0, "LIST", ARCH_HELP " (default: all)"},
    {"out", 0, "FILE", "where to write it; with one architecture only"},
    {"key", 0, "NAME", "the owner's key; without it the image is marked 'development'"},
    {"report", 0, NULL, "say what is in it: what, whose, how big, which capabilities and devices"},
    {"relock", 0, NULL, "accept another kernel and other drivers of the SDK than nip.lock names"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example image_examples[] = {
    {"nip image --arch riscv64 --report", "one image, and what is in it"},
    {"nip image --key owner", "images for release, signed by the owner"},
    {NULL, NULL},
};

static const struct cli_option_spec yank_options[] = {
    {"registry", 0, "WHERE", "file:FOLDER, or an alias of nip.trust.kdl"},
    {"reason", 0, "TEXT", "what is wrong with it, in one line: shown to whoever has it"},
    {"undo", 0, NULL, "take the yank back"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example yank_examples[] = {
    {"nip yank acme/ring@1.2.0 --registry file:../reg --reason 'loses requests'", "withdraw it"},
    {"nip yank acme/ring@1.2.0 --undo", "take that back"},
    {NULL, NULL},
};

static const struct cli_example registry_repair_examples[] = {
    {"nip registry repair file:../reg", "rebuild every index.json from the manifests"},
    {NULL, NULL},
};

static const struct cli_example cache_list_examples[] = {
    {"nip cache list", "what is there, how big, and when it was last used"},
    {NULL, NULL},
};
static const struct cli_example cache_size_examples[] = {
    {"nip cache size", "one line"},
    {NULL, NULL},
};
static const struct cli_example cache_verify_examples[] = {
    {"nip cache verify", "exit status 3 when something is damaged"},
    {NULL, NULL},
};
static const struct cli_option_spec cache_clean_options[] = {
    {"older", 0, "DAYS", "what was not used for so many days"},
    {"max-size", 0, "SIZE", "the least recently used, until at most SIZE is left (500MiB, 2GiB)"},
    {"damaged", 0, NULL, "what has not the digest that is its name"},
    {"all", 0, NULL, "everything"},
    {"keep-locked", 0, NULL, "but nothing that nip.lock in this folder names"},
    {"dry-run", 0, NULL, "remove nothing; say what would go"},
    {NULL, 0, NULL, NULL},
};
static const struct cli_example cache_clean_examples[] = {
    {"nip cache clean --older 90", "what nobody used for three months"},
    {"nip cache clean --max-size 1GiB --keep-locked", "in a project that works offline"},
    {"nip cache clean --all --dry-run", "how much there would be to gain"},
    {NULL, NULL},
};

static const struct cli_example doctor_examples[] = {
    {"nip doctor", "also inside a project"},
    {"nip doctor --json", "for a program"},
    {NULL, NULL},
};
static const struct cli_example completion_examples[] = {
    {"source <(nip completion bash)", "in ~/.bashrc"},
    {"nip completion zsh > ~/.zfunc/_nip", "in a folder of fpath"},
    {"nip completion fish > ~/.config/fish/completions/nip.fish", "found by itself"},
    {NULL, NULL},
};

static const struct cli_example help_examples[] = {
    {"nip help key new", "one command"},
    {"nip help exit-codes", "what the exit codes mean"},
    {"nip help errors", "every error"},
    {"nip help manifest", "everything that npl.kdl may say"},
    {"nip help config", "everything that your settings may say"},
    {"nip help man > nip.1", "the man page"},
    {NULL, NULL},
};

const struct cli_command cli_commands[] = {
    {"new", "Write a driver", "Make a new driver or image project", "NAME",
     "Makes a folder that builds, runs and passes its tests as it stands. NAME is namespace/name; a name without a\n"
     "namespace is put into local/, which can be published to folders only. With --image, the new\n"
     "image holds the console driver of each machine, so that programs can be heard at once.",
     new_options, new_examples, 1, 1, command_new},
    {"build", "Write a driver", "Compile and link the driver in this folder", "",
     "Compiles for all architectures in parallel, with the compiler and the sysroot of the SDK only.\n"
     "A file is compiled again when its content, a header's content or a flag has changed; times do\n"
     "not count. Each result is checked as the kernel will check it. Writes build/ARCH/driver.elf,\n"
     "build/ARCH/driver.debug (for debuggers, also by its build id below build/.build-id) and\n"
     "build/compile_commands.json (for editors). Where npl.kdl names a build system, as in\n"
     "`build \"cmake\"`, that one is called for each architecture, with the SDK's toolchain file, cross\n"
     "file or variables and nothing else of the environment than PATH. It leaves driver.elf at the top\n"
     "of its build folder, build/ARCH/tree, and decides itself what has to be made again. nip pack and\n"
     "nip publish begin from nothing.",
     build_options, build_examples, 0, 0, command_build},
    {"fmt", "Write a driver", "Lay out manifests", "[FILE...]",
     "Four spaces a level, single spaces, at most one empty line, LF. Comments, spelling and order stay\n"
     "as they are, and what the file means is compared before and after.",
     fmt_options, fmt_examples, 0, 16, command_fmt},
    {"test", "Write a driver", "Run the tests of the package, here and in the emulator", "",
     "test/*.c is one program with cmocka and the sources of the package, linked with the simulated kernel\n"
     "of <npl/host.h>, under AddressSanitizer and UBSan. Each test/kernel/NAME.c is a driver of its own,\n"
     "booted beside the package and wired to all that it provides (NAME.kdl may be its manifest): it passes\n"
     "when its npl_main returns 0 and nothing faults. Without any, the package is booted alone.",
     test_options, test_examples, 0, 0, command_test},
    {"check", "Write a driver", "Check what publishing asks of the package, and measure it", "",
     "form: the driver is as the kernel wants it, nothing writable and executable. abi: it was built against\n"
     "the abi/abi.txt of this SDK. calls: every call that its code can make through libnpl is in a class that\n"
     "`pledge` keeps. capabilities: devices and interrupts that the code uses are requested. licence: every\n"
     "identifier of `license` has its text. Publishing checks the same. interface, with --registry: within one\n"
     "class of versions nothing that a published library has may change (needs abidiff).",
     check_options, check_examples, 0, 0, command_check},
    {"size", "Write a driver", "Say how big the package is on each architecture", "",
     "The file that goes into the package, and what it takes in memory without stack and heap.",
     size_options, size_examples, 0, 0, command_size},
    {"run", "Write a driver", "Boot the driver or image of this folder in the emulator", "[IMAGE]",
     "In a driver project: builds, signs with your development key (made silently, never accepted for\n"
     "release), puts the driver, the kernel, the machine's console driver and the providers of what it\n"
     "needs into a throw-away image and boots it. In an image project: boots the image. Shows what the\n"
     "machine prints, ends when it is done or with Ctrl-C, and then says for every package, out of the\n"
     "kernel's own ledger: started, refused and why, faulted and where. With IMAGE, boots that finished\n"
     "file as it is.",
     run_options, run_examples, 0, 1, command_run},
    {"crash", "Write a driver", "Say where in the source a driver faulted", "[FILE]",
     "Reads what nip run or nip run --json has printed, or a log that holds its lines, from FILE or standard\n"
     "input. Each fault names the driver file by its build id; the debug file with the same one says\n"
     "function, file and line, and what was inlined where. It is looked for in the folders of --debug, in\n"
     "build/, and among what this user has packed or fetched with --debug (the cache). Exit status 1 when\n"
     "the place of a fault is not known.",
     crash_options, crash_examples, 0, 1, command_crash},
    {"key new", "Keys and packages", "Make a key pair", "[NAME]",
     "The secret key is written to XDG_DATA_HOME/rumpk/keys/NAME.key (0600, encrypted with a password in\n"
     "minisign's format), the public one beside it. NAME is 'default' when left out. The password is\n"
     "asked on the terminal, or taken from NIP_PASSWORD.",
     key_new_options, key_new_examples, 0, 1, command_key_new},
    {"key show", "Keys and packages", "Show public keys and their fingerprints", "[NAME]",
     "Lists your keys. The fingerprint is the BLAKE2b-256 of the 32 bytes of the public key; give it to\n"
     "others over a way that they trust.",
     NULL, key_show_examples, 0, 1, command_key_show},
    {"key trust", "Keys and packages", "Accept a publisher's key in this project", "PACKAGE KEY",
     "Writes the key into nip.trust.kdl. PACKAGE is namespace/name or namespace/*; KEY is a .pub file, a\n"
     "name of 'nip key show', or the key itself (RWQ...). A line that is there is never widened by\n"
     "accident: say --add or --replace. Keys that go away count no longer, except for the packages that\n"
     "nip.lock holds already.",
     key_trust_options, key_trust_examples, 0, 1 + 8, command_key_trust},
    {"key rotate", "Keys and packages", "Write a statement that replaces keys", "PACKAGE",
     "The statement names old keys, new keys and threshold. It counts when the old threshold and every\n"
     "new key have signed it; those of the keys that are yours sign at once, the others with 'nip sign\n"
     "FILE'. Projects follow it with: nip key trust --statement FILE",
     key_rotate_options, key_rotate_examples, 1, 1, command_key_rotate},
    {"key revoke", "Keys and packages", "Say that a key counts no longer", "PACKAGE KEY",
     "Changes nip.trust.kdl of this project, or with --out writes a statement for others, which counts\n"
     "when the threshold has signed it. A revocation names the package ids that stay valid; no date\n"
     "decides anything.",
     key_revoke_options, key_revoke_examples, 2, 2, command_key_revoke},
    {"pack", "Keys and packages", "Collect the files of the package and list their digests", "",
     "Builds, writes the compiled manifest and the bill of materials, and puts everything that belongs\n"
     "into the package below build/pack, with the list 'digests' that the signature will cover.",
     NULL, pack_examples, 0, 0, command_pack},
    {"sign", "Keys and packages", "Sign what pack has collected, or add a signature",
     "[FILE | NAME]",
     "Signs build/pack/digests and writes build/NAME-VERSION.npl. With --import, takes a signature\n"
     "that was made by: minisign -S -t \"npl 1 NAME VERSION\" -m build/pack/digests\n"
     "With FILE, a package or a statement about keys, writes one more signature beside it, as\n"
     "FILE.1.minisig and so on; the file itself never changes. With NAME[@VERSION] and --registry, attaches\n"
     "it to the published package. Nothing is signed that has not been checked.",
     sign_options, sign_examples, 0, 1, command_sign},
    {"verify", "Keys and packages", "Check a package or an image completely", "FILE",
     "Everything that the kernel checks, and more. Without --key a package is checked against\n"
     "nip.trust.kdl and your own keys, and an image against the key that it carries; that proves\n"
     "integrity only, and the answer says so.",
     verify_options, verify_examples, 1, 1, command_verify},
    {"rebuild", "Keys and packages", "Build a package again from its source and compare",
     "PACKAGE | NAME@VERSION",
     "Takes the source archive whose digest the package names (NAME-VERSION.source.tar beside it, or\n"
     "pack/source.tar where 'nip pack' has left it; for NAME@VERSION that of the registry), builds it\n"
     "with this SDK, an empty home, no cache and no network, and compares every digest. Says 'equal', or\n"
     "what differs, or that it is not rebuildable: no source is recorded, or another SDK is needed.",
     rebuild_options, rebuild_examples, 1, 1, command_rebuild},
    {"inspect", "Keys and packages", "Show what is in a package or an image", "FILE",
     "Name, version, id, files, capabilities in words, signature. Nothing is shown that has not been\n"
     "verified: for a package whose key nothing here vouches for, name it with --key.",
     verify_options, inspect_examples, 1, 1, command_inspect},
    {"diff", "Keys and packages", "Say in words what changed", "A B",
     "Compares two packages, images, nip.lock or nip.trust.kdl files: keys, capabilities, matches, sizes,\n"
     "services, source files. What lets somebody do more than before is marked with + and red. Packages\n"
     "and images are verified first.",
     diff_options, diff_examples, 2, 2, command_diff},
    {"publish", "Share", "Build, pack, sign and put the package into a registry", "",
     "Makes the checks of 'nip check'. A library must still have all that its last release of the same\n"
     "class in that registry has (this needs abidiff); nothing overrides that: what breaks others begins a\n"
     "new class. A version that exists is never replaced. A registry folder that does not exist is created.",
     publish_options, publish_examples, 0, 0, command_publish},
    {"search", "Share", "Find packages by name and description", "[WORD...]",
     "Looks into every registry that is known here: the SDK's, those of nip.trust.kdl and those of your\n"
     "settings. Shows the highest version, its description and the key that signed both, and whether\n"
     "anybody here vouches for that key. Which versions there are and what is yanked is the registry's word.",
     search_options, search_examples, 0, 8, command_search},
    {"info", "Share", "Show all that is known about a package", "NAME[@VERSION] | FILE",
     "Identity, capabilities, what it matches, how it runs, sizes, dependencies, keys, and the versions that\n"
     "its registry has. A name is looked for in nip.lock, else in the registries known here; a FILE ends in\n"
     ".npl or begins with . or /. Everything that the package says has been verified, also under a key that\n"
     "nothing here vouches for; then the answer says so.",
     info_options, info_examples, 1, 1, command_info},
    {"owner", "Share", "Show which keys own a name", "NAME",
     "What this project says in nip.trust.kdl decides; nip.lock says what was accepted before; what registries\n"
     "name are hints and decide nothing. Owners change by statements: nip key rotate, nip key revoke, and\n"
     "projects follow with nip key trust.",
     owner_options, owner_examples, 1, 1, command_owner},
    {"fetch", "Share", "Get a package out of a registry, checked", "[NAME[@VERSION]]",
     "Checks signature, digests and form before a byte is written. Source archive and debug files are what\n"
     "the publisher signed, or nothing. Without a name, in a project: gets\n"
     "everything that nip.lock names into the cache, so that --offline has all it needs.",
     fetch_options, fetch_examples, 0, 1, command_fetch},
    {"yank", "Share", "Withdraw a version from new selection", "NAME@VERSION",
     "The version stays in the registry: whoever has it in nip.lock keeps it and is warned; nobody\n"
     "gets it newly unless it is named. A yank is a hint of the registry, not a signed statement.",
     yank_options, yank_examples, 1, 1, command_yank},
    {"cache list", "Share", "List the packages in the cache", "",
     "Digest, size, day of the last use, and the name and version that the file claims: nothing of it is\n"
     "verified here, for a package is verified whenever it is used.",
     NULL, cache_list_examples, 0, 0, command_cache_list},
    {"cache size", "Share", "Say how big the cache is, and where", "",
     "The folder is $XDG_CACHE_HOME/nip, unless NIP_CACHE or your settings name another.", NULL,
     cache_size_examples, 0, 0, command_cache_size},
    {"cache verify", "Share", "Read everything in the cache and compare it with its digest", "",
     "A damaged file does no harm, since it is refused and fetched again when it is needed; but --offline\n"
     "then lacks it, and the disk may be failing.",
     NULL, cache_verify_examples, 0, 0, command_cache_verify},
    {"cache clean", "Share", "Remove packages from the cache", "",
     "By age, by size, or all. What goes is fetched again when it is needed; --offline must have it. Other\n"
     "nips may work at the same time. Files that are not nip's stay.",
     cache_clean_options, cache_clean_examples, 0, 0, command_cache_clean},
    {"registry repair", "Share", "Rebuild the index of a registry folder", "WHERE",
     "index.json is only a cache of what the manifests say; this writes it again.", NULL,
     registry_repair_examples, 1, 1, command_registry_repair},
    {"add", "Dependencies", "Add a library to the package, or a driver to the image",
     "[NAME[@VERSION]]",
     "In a package project: writes the library into npl.kdl, with the version as the lowest that will\n"
     "do and the publisher's key, and chooses all libraries anew. In an image project: shows in words\n"
     "what the package asks for and writes what you accept into image.kdl; nothing else grants. An\n"
     "update shows only what is new. The rest of the files stays as it is. A publisher's key that this\n"
     "project does not know is shown and asked for; without a terminal, --trust FINGERPRINT answers.\n"
     "Keys of the SDK (alias sdk) and, for local/*, your own keys are known. With --path, local work\n"
     "stands for a library: see nip.workspace.kdl.",
     add_options, add_examples, 0, 1, command_add},
    {"remove", "Dependencies", "Take a library or a driver out of the project", "NAME",
     "Out of npl.kdl, or out of image.kdl with its grants and wires; and out of nip.lock.", NULL,
     remove_examples, 1, 1, command_remove},
    {"update", "Dependencies", "Take the highest versions of the same class", "[NAME]",
     "Raises the lowest version that will do in npl.kdl, or the versions in image.kdl. A driver that\n"
     "asks for more than before is taken only after you have accepted the difference.",
     update_options, update_examples, 0, 1, command_update},
    {"tree", "Dependencies", "Show what the project consists of", "",
     "In a package project the libraries that are linked and who asks for which version; in an image\n"
     "project the packages and who provides the services that they need.",
     NULL, tree_examples, 0, 0, command_tree},
    {"why", "Dependencies", "Show who asks for a package", "NAME",
     "One line for each package that asks for it, with a shortest way there.", NULL, why_examples,
     1, 1, command_why},
    {"outdated", "Dependencies", "Show which packages have newer versions", "",
     "Compares nip.lock with the registries; changes nothing.", NULL, outdated_examples, 0, 0,
     command_outdated},
    {"audit", "Dependencies", "Show what is known against the packages of nip.lock", "",
     "Yanked; no longer in its registry; other bytes under the same version; a key that is not\n"
     "accepted (any more); a later version with a higher security-version. Exit status 1 if there is\n"
     "anything.",
     NULL, audit_examples, 0, 0, command_audit},
    {"image", "Build an image", "Make the bootable image", "",
     "Checks every package again, against nip.lock and nip.trust.kdl, signs the boot manifest and\n"
     "writes build/NAME-ARCH.elf; beside it the bill of materials of everything in it (.spdx.json, SPDX\n"
     "2.3) and the licences (.licenses.txt).",
     image_options, image_examples, 0, 0, command_image},
    {"doctor", CLI_GROUP_ABOUT, "Check tools, SDK, folders, keys and project", "",
     "One line per finding, and what to do about it. Fails when something is missing that every\n"
     "project needs.",
     NULL, doctor_examples, 0, 0, command_doctor},
    {"completion", CLI_GROUP_ABOUT, "Print a completion script for a shell", "bash | zsh | fish",
     "Made from the same table as this help, so it knows every command and option.", NULL,
     completion_examples, 1, 1, command_completion},
    {"version", CLI_GROUP_ABOUT, "Show the version of the tool, the SDK and the compiler", "",
     "Says which SDK is used and whether it is a development one.", NULL, NULL, 0, 0,
     command_version},
    {"help", CLI_GROUP_ABOUT, "Show help",
     "[COMMAND | exit-codes | errors | man | man-pages | manifest | config]",
     "Without a word, lists the commands.", NULL, help_examples, 0, 3, cli_help},
};

const size_t cli_command_count = sizeof cli_commands / sizeof cli_commands[0];
