/**
 * Files in and out: the methods READ, WRITE and LIST of the agent.
 *
 * <p>A backup ({@link io.holdfast.agent.files.BackupJob}) is one walk of the tree by a few equal
 * workers. Each takes a directory to list or a file to read, names chunks, asks the storage in
 * batches which it lacks, and sends only those; whoever finishes the last entry of a directory
 * writes its manifest node. {@link io.holdfast.agent.files.FileCache} remembers what did not change.
 * A restore ({@link io.holdfast.agent.files.RestoreJob}) walks the manifest from the top, and never
 * leaves its target: every step below it is taken from an open folder and follows no symlink.
 *
 * <p>Names are bytes here, as in the file system. {@link io.holdfast.agent.files.PathBytes} carries
 * them through {@code java.nio.file}, and {@code Posix} holds the few system calls that the JDK
 * lacks. Linux only.
 */
@NullMarked
package io.holdfast.agent.files;

import org.jspecify.annotations.NullMarked;
