/**
 * The SQL catalogs: what was backed up, when, where, until when; and how N local catalogs become
 * one at the DR site.
 *
 * <p>{@link io.holdfast.catalog.CatalogDatabase} is one database (embedded SQLite, or MariaDB), {@link
 * io.holdfast.catalog.CatalogService} serves it by gRPC (catalog.proto), {@link
 * io.holdfast.catalog.CatalogClient} is the other end. Every change is written together with an
 * outbox entry in one transaction; the other site's catalog applies those entries exactly once, in
 * order ({@link io.holdfast.catalog.OutboxApply} decides). The tables are a published contract:
 * SCHEMA.md. This is the one home of Micronaut Data, Flyway, SQLite and MariaDB.
 */
@NullMarked
package io.holdfast.catalog;

import org.jspecify.annotations.NullMarked;
