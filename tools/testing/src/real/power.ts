import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sleep } from "../child.ts";
import { Random, seedOf } from "../random.ts";
import { printCounts } from "../scale.ts";
import { firstWord, mustHaveFound, startHistory } from "./kill.ts";
import { ReportedHistory } from "./reported-history.ts";
import { mustKeep, type StoreOnDisk } from "./store.ts";

/** File systems that know the shutdown call, and how large they must be, in bytes. */
const FILE_SYSTEMS: Readonly<
  Record<PowerFileSystem, { readonly command: readonly string[]; readonly bytes: number }>
> = {
  ext4: { command: ["mkfs.ext4", "-q", "-F"], bytes: 64 * 2 ** 20 },
  xfs: { command: ["mkfs.xfs", "-q", "-f"], bytes: 320 * 2 ** 20 },
};

export type PowerFileSystem = "ext4" | "xfs";

export interface PowerOptions {
  /** For the printed line, as `T-POWER group`. */
  readonly title: string;
  readonly fileSystem: PowerFileSystem;
  readonly cycles: number;
  readonly seed: number;
  /** Milliseconds between the child's opening of the store and the cut. Default: 20 to 400. */
  readonly lifeMs?: readonly [min: number, max: number];
}

export interface PowerCounts {
  cycles: number;
  /** Commits that resolved before the cut. */
  commits: number;
  /** Commits of those that were promised to be durable. */
  durable: number;
}

/**
 * A real file system on a real block device, made from a file, that can lose power: everything the kernel has not yet
 * sent to the device, log included, is gone.
 *
 * Needs root, loop devices, and a program that makes the file system. Uses the kernel's shutdown call for file systems
 * (`XFS_IOC_GOINGDOWN`, which ext4 has too) without flushing the log.
 */
export class PowerDisk {
  readonly #home: string;
  readonly #image: string;
  /** Where it is mounted. */
  readonly folder: string;
  #mounted = false;

  private constructor(home: string) {
    this.#home = home;
    this.#image = join(home, "disk.img");
    this.folder = join(home, "mounted");
  }

  /** A mounted, empty one, or why there cannot be one here. */
  static create(fileSystem: PowerFileSystem): PowerDisk | { readonly reason: string } {
    const disk = new PowerDisk(mkdtempSync(join(tmpdir(), "power-")));
    try {
      const { command, bytes } = FILE_SYSTEMS[fileSystem];
      const image = openSync(disk.#image, "wx");
      ftruncateSync(image, bytes);
      closeSync(image);
      mkdirSync(disk.folder);
      run([...command, disk.#image]);
      disk.#mount();
      disk.#tryShutdown();
      return disk;
    } catch (error) {
      disk.destroy();
      return { reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Cuts the power: whatever comes later fails with EIO. */
  cut(): void {
    run(["python3", "-c", SHUTDOWN, this.folder]);
  }

  /** Takes the dead file system down and mounts what is on the device. */
  restart(): void {
    this.#unmount();
    this.#mount();
  }

  /** Unmounts it, at the latest when nobody uses it any more, and removes the file. */
  destroy(): void {
    if (this.#mounted) run(["umount", "--lazy", this.folder]);
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** Finds out now whether the cut works, not in the middle of a campaign. */
  #tryShutdown(): void {
    this.cut();
    this.restart();
  }

  #mount(): void {
    run(["mount", "-o", "loop", this.#image, this.folder]);
    this.#mounted = true;
  }

  #unmount(): void {
    run(["umount", this.folder]);
    this.#mounted = false;
  }
}

/** `_IOR('X', 125, u32)` with 2: go down without flushing the log. */
const SHUTDOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))
`;

/**
 * Cuts the power under a writing child, then opens what reached the disk: everything promised durable before the cut,
 * and a state that some commit left.
 *
 * @throws DiskFailure naming seed and cycle
 */
export async function powerCampaign(
  store: StoreOnDisk,
  disk: PowerDisk,
  options: PowerOptions,
): Promise<PowerCounts> {
  const counts: PowerCounts = { cycles: 0, commits: 0, durable: 0 };
  const folder = join(disk.folder, "store");
  let digest = store.empty;
  for (let cycle = 0; cycle < options.cycles; cycle++) {
    const where = `POWER_SEED=${options.seed} ${options.fileSystem} cycle=${cycle}`;
    const random = new Random(seedOf(options.seed, cycle));
    const history = new ReportedHistory(digest);
    const child = startHistory(store, folder, random.next(), history);
    // Now and then the cut comes while the store is being opened.
    if (random.chance(0.8)) await firstWord(history, child);
    await Promise.race([child.ended, sleep(random.between(...(options.lifeMs ?? [20, 400])))]);
    const { durable } = history.mark();
    disk.cut();
    await child.kill();
    disk.restart();
    mustHaveFound(history, digest, where);
    const found = { mark: history.mark(), floor: durable, thorough: cycle % 10 === 0 };
    digest = await mustKeep(store, folder, found, where);
    counts.cycles++;
    counts.commits += history.commits;
    counts.durable += durable;
  }
  printCounts(options.title, { fileSystem: options.fileSystem, ...counts });
  return counts;
}

function run(command: readonly string[]): void {
  const [program = "", ...args] = command;
  const { status, error, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status === 0) return;
  const reason = error?.message ?? stderr.trim().split("\n")[0];
  throw new Error(`${program} failed: ${reason}`);
}
