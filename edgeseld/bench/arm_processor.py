"""What an emulated process reads of its processor in /sys and /proc: one Cortex-A76.

qemu-user passes these files on from the host: runtimes would size their blocks by an x86's caches, or crash over them.
"""

CPU = "sys/devices/system/cpu"
CACHES = (("1", "Data", "64K"), ("1", "Instruction", "64K"), ("2", "Unified", "512K"), ("3", "Unified", "2048K"))
CPUINFO = """processor\t: 0
BogoMIPS\t: 100.00
Features\t: fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1

"""


def processor_files() -> dict[str, str]:
    """Content by path below the root that qemu looks into first."""
    lists = ("possible", "present", "online", "kernel_max", "cpu0/topology/physical_package_id")
    files = {f"{CPU}/{name}": "0\n" for name in (*lists, "cpu0/topology/cluster_cpus_list")}
    for number, values in enumerate(CACHES):
        folder = f"{CPU}/cpu0/cache/index{number}"
        files |= {
            f"{folder}/{name}": f"{value}\n" for name, value in zip(("level", "type", "size"), values, strict=True)
        }
        files[f"{folder}/shared_cpu_list"] = "0\n"
    return files | {"proc/cpuinfo": CPUINFO}
