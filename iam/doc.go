// Package iam reads AWS policy documents and decides requests as AWS decides
// them: identity policies, resource policies, permission boundaries, session
// policies, service and resource control policies and VPC endpoint policies,
// within an account and across accounts.
//
// [Parse] reads a document and keeps positions, [Compile] prepares it once, and
// [Decide] answers one [Request] over a [PolicySet] without allocating.
// [Explain] gives every statement's part in an answer.
//
// Decisions are three-valued. A context key that a request does not state, a
// policy that was not read, or a text that is only partly known makes the
// answer [Unknown] where it matters, and never a guess in either direction.
//
// Where AWS's documents and other evaluators differ, or where the documents are
// silent, the point is a named [Rule]. A [Semantics] says how each is read;
// [Documents] is the default. An answer lists the rules on which it would turn.
//
// What is outside of the model (KMS grants, S3 ACLs and Block Public Access,
// RAM shares, Lake Formation) is listed in docs/iam.md, and an explanation says
// which of them could also let its request in.
//
// The package is pure: tables, clock and limits are handed in.
package iam
