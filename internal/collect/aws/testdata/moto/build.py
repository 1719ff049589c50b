"""Builds an estate in moto's server and writes it down as CloudFormation.

    python3 build.py http://127.0.0.1:PORT FOLDER FUNCTIONS

Every resource is stated once, in CloudFormation's shape and with names and ARNs
written out. It is made by the API call that its type has below, and written to
FOLDER/REGION.json, so that what is read back can be compared with it.
"""

import io
import json
import sys
import zipfile

import boto3

ACCOUNT = "123456789012"
REGIONS = ["us-east-1", "eu-west-1"]
ENDPOINT, FOLDER, FUNCTIONS = sys.argv[1], sys.argv[2], int(sys.argv[3])  # functions of each region, at least 12


def client(service, region):
    return boto3.client(service, region_name=region, endpoint_url=ENDPOINT, aws_access_key_id="test", aws_secret_access_key="test")


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("index.py", "def handler(event, context):\n    return {}\n")
    return out.getvalue()


CODE = archive()


def arn(service, region, rest):
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{rest}"


def trust(service):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}


def allow(action, resource, **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}


# The estate.


def estate(region):
    """The resources of one region: logical id -> (type, properties)."""
    r = {}
    one = region == REGIONS[0]
    short = region.replace("-", "")

    if one:  # what the account has once
        for i in range(12):
            r[f"Role{i}"] = ("AWS::IAM::Role", {
                "RoleName": f"service-{i}",
                "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
                "ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"] + ([f"arn:aws:iam::{ACCOUNT}:policy/reads-orders"] if i % 4 == 0 else []),
                "Policies": [{"PolicyName": "work", "PolicyDocument": allow("sqs:SendMessage", arn("sqs", region, f"jobs-{i}"))}],
                **({"PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary"} if i == 3 else {}),
                "Tags": [{"Key": "Owner", "Value": f"team-{i % 3}"}],
            })
        r["Reads"] = ("AWS::IAM::ManagedPolicy", {"ManagedPolicyName": "reads-orders", "PolicyDocument": allow(["dynamodb:GetItem", "dynamodb:Query"], [arn("dynamodb", each, "table/orders") for each in REGIONS])})
        r["Boundary"] = ("AWS::IAM::ManagedPolicy", {"ManagedPolicyName": "boundary", "PolicyDocument": allow("*", "*")})
        r["Deployer"] = ("AWS::IAM::User", {"UserName": "deployer", "Policies": [{"PolicyName": "pass", "PolicyDocument": allow("iam:PassRole", "*")}]})

    r["KeyAlias"] = ("AWS::KMS::Alias", {"AliasName": "alias/data", "TargetKeyId": {"Ref": "Key"}})
    r["Key"] = ("AWS::KMS::Key", {"Description": "data of " + region, "KeyPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}]}, "EnableKeyRotation": one})
    for i in range(6):
        r[f"Queue{i}"] = ("AWS::SQS::Queue", {
            "QueueName": f"jobs-{i}", "VisibilityTimeout": 60 + i, "MessageRetentionPeriod": 86400,
            **({"KmsMasterKeyId": "alias/data"} if i == 4 else {}),
            **({"RedrivePolicy": {"deadLetterTargetArn": arn("sqs", region, "jobs-dead"), "maxReceiveCount": 5}} if i < 3 else {}),
        })
    r["DeadQueue"] = ("AWS::SQS::Queue", {"QueueName": "jobs-dead", "SqsManagedSseEnabled": True})
    r["QueuePolicy"] = ("AWS::SQS::QueuePolicy", {"Queues": [f"https://sqs.{region}.amazonaws.com/{ACCOUNT}/jobs-0"], "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn("sqs", region, "jobs-0"), "Condition": {"ArnEquals": {"aws:SourceArn": arn("sns", region, "orders")}}}]}})
    r["Topic"] = ("AWS::SNS::Topic", {"TopicName": "orders", "KmsMasterKeyId": "alias/aws/sns"})
    r["Table"] = ("AWS::DynamoDB::Table", {
        "TableName": "orders", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "StreamSpecification": {"StreamViewType": "NEW_IMAGE"}, "DeletionProtectionEnabled": one,
    })
    r["Stream"] = ("AWS::Kinesis::Stream", {"Name": "clicks", "ShardCount": 1, "RetentionPeriodHours": 48})
    r["Bucket"] = ("AWS::S3::Bucket", {
        "BucketName": f"uploads-{short}",
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True},
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]},
    })
    r["BucketPolicy"] = ("AWS::S3::BucketPolicy", {"Bucket": f"uploads-{short}", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [f"arn:aws:s3:::uploads-{short}/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}})

    for i in range(FUNCTIONS):
        name = f"{'orders' if one else 'mirror'}-{i}"
        r[f"Function{i}"] = ("AWS::Lambda::Function", {
            "FunctionName": name,
            "Role": f"arn:aws:iam::{ACCOUNT}:role/service-{i % 12}",
            "Runtime": ["python3.13", "nodejs22.x", "python3.9"][i % 3],
            "Handler": "index.handler",
            "Timeout": 3 + i,
            "MemorySize": 128 if i % 2 else 512,
            "Architectures": ["arm64" if i % 5 == 0 else "x86_64"],
            "TracingConfig": {"Mode": "Active" if i % 2 else "PassThrough"},
            **({"Description": f"handles {name}"} if i % 4 else {}),
            **({"Tags": [{"Key": "Owner", "Value": f"team-{i % 3}"}]} if i % 3 else {}),
            **({"Environment": {"Variables": {"POWERTOOLS_LOGGER_LOG_EVENT": "true"}}} if i % 7 == 0 else {}),
            **({"ReservedConcurrentExecutions": 5} if i == 9 else {}),
        })
        r[f"Group{i}"] = ("AWS::Logs::LogGroup", {"LogGroupName": f"/aws/lambda/{name}", **({"RetentionInDays": [30, 365][i % 2]} if i % 5 else {})})
        if i < 8:
            r[f"FromBucket{i}"] = ("AWS::Lambda::Permission", {"FunctionName": arn("lambda", region, "function:" + name), "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceArn": f"arn:aws:s3:::uploads-{short}", "SourceAccount": ACCOUNT})
        if i == 8:
            r["FromTopic"] = ("AWS::Lambda::Permission", {"FunctionName": arn("lambda", region, "function:" + name), "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com", "SourceArn": arn("sns", region, "orders")})
            r["Subscription"] = ("AWS::SNS::Subscription", {"TopicArn": arn("sns", region, "orders"), "Protocol": "lambda", "Endpoint": arn("lambda", region, "function:" + name)})
        if i == 10:
            r["FromRule"] = ("AWS::Lambda::Permission", {"FunctionName": arn("lambda", region, "function:" + name), "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": arn("events", region, "rule/nightly")})
            r["Rule"] = ("AWS::Events::Rule", {"Name": "nightly", "ScheduleExpression": "rate(1 day)", "State": "ENABLED", "Targets": [{"Id": "f", "Arn": arn("lambda", region, "function:" + name)}]})
        if i < 6:
            r[f"Mapping{i}"] = ("AWS::Lambda::EventSourceMapping", {"FunctionName": name, "EventSourceArn": arn("sqs", region, f"jobs-{i}"), "BatchSize": 5 + i, "Enabled": True})
        if i == 6:
            r["FromStream"] = ("AWS::Lambda::EventSourceMapping", {"FunctionName": name, "EventSourceArn": arn("kinesis", region, "stream/clicks"), "BatchSize": 100, "StartingPosition": "LATEST", "Enabled": True})
        if i < 4:
            r[f"Async{i}"] = ("AWS::Lambda::EventInvokeConfig", {"FunctionName": name, "Qualifier": "$LATEST", "MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 3600, "DestinationConfig": {"OnFailure": {"Destination": arn("sqs", region, "jobs-dead")}}})
        if i == 11:
            r["Version"] = ("AWS::Lambda::Version", {"FunctionName": name})
            r["Alias"] = ("AWS::Lambda::Alias", {"FunctionName": name, "FunctionVersion": "1", "Name": "live"})
    return r


# The calls that make each type.


def make_role(c, p):
    c.create_role(RoleName=p["RoleName"], AssumeRolePolicyDocument=json.dumps(p["AssumeRolePolicyDocument"]), Tags=p.get("Tags", []),
                  **({"PermissionsBoundary": p["PermissionsBoundary"]} if "PermissionsBoundary" in p else {}))
    for policy in p.get("Policies", []):
        c.put_role_policy(RoleName=p["RoleName"], PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"]))
    for policy in p.get("ManagedPolicyArns", []):
        c.attach_role_policy(RoleName=p["RoleName"], PolicyArn=policy)


def make_user(c, p):
    c.create_user(UserName=p["UserName"])
    for policy in p.get("Policies", []):
        c.put_user_policy(UserName=p["UserName"], PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"]))


def make_key(c, p):
    key = c.create_key(Description=p["Description"], Policy=json.dumps(p["KeyPolicy"]))["KeyMetadata"]["KeyId"]
    if p["EnableKeyRotation"]:
        c.enable_key_rotation(KeyId=key)


def make_alias(c, p):
    [key] = [k["KeyId"] for k in c.list_keys()["Keys"] if c.describe_key(KeyId=k["KeyId"])["KeyMetadata"]["Description"].startswith("data of")]
    c.create_alias(AliasName=p["AliasName"], TargetKeyId=key)


def make_queue(c, p):
    attributes = {k: json.dumps(v) if isinstance(v, dict) else str(v).lower() if isinstance(v, bool) else str(v) for k, v in p.items() if k != "QueueName"}
    c.create_queue(QueueName=p["QueueName"], Attributes=attributes)


def make_queue_policy(c, p):
    for url in p["Queues"]:
        own = c.get_queue_url(QueueName=url.rsplit("/", 1)[1])["QueueUrl"]
        c.set_queue_attributes(QueueUrl=own, Attributes={"Policy": json.dumps(p["PolicyDocument"])})


def make_table(c, p):
    q = dict(p)
    q["StreamSpecification"] = {"StreamEnabled": True, **q["StreamSpecification"]}
    c.create_table(**q)


def make_stream(c, p):
    c.create_stream(StreamName=p["Name"], ShardCount=p["ShardCount"])
    c.increase_stream_retention_period(StreamName=p["Name"], RetentionPeriodHours=p["RetentionPeriodHours"])


def make_bucket(c, p):
    region = c.meta.region_name
    c.create_bucket(Bucket=p["BucketName"], **({} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}))
    c.put_bucket_versioning(Bucket=p["BucketName"], VersioningConfiguration=p["VersioningConfiguration"])
    c.put_public_access_block(Bucket=p["BucketName"], PublicAccessBlockConfiguration=p["PublicAccessBlockConfiguration"])
    rules = [{"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]} for rule in p["BucketEncryption"]["ServerSideEncryptionConfiguration"]]
    c.put_bucket_encryption(Bucket=p["BucketName"], ServerSideEncryptionConfiguration={"Rules": rules})


def make_function(c, p):
    q = {k: v for k, v in p.items() if k not in ("Tags", "ReservedConcurrentExecutions")}
    c.create_function(Code={"ZipFile": CODE}, Tags={t["Key"]: t["Value"] for t in p.get("Tags", [])}, **q)
    if "ReservedConcurrentExecutions" in p:
        c.put_function_concurrency(FunctionName=p["FunctionName"], ReservedConcurrentExecutions=p["ReservedConcurrentExecutions"])


def make_group(c, p):
    c.create_log_group(logGroupName=p["LogGroupName"])
    if "RetentionInDays" in p:
        c.put_retention_policy(logGroupName=p["LogGroupName"], retentionInDays=p["RetentionInDays"])


def make_rule(c, p):
    c.put_rule(**{k: v for k, v in p.items() if k != "Targets"})
    c.put_targets(Rule=p["Name"], Targets=p["Targets"])


def make_permission(c, p):
    c.add_permission(StatementId="from-" + p["Principal"].split(".")[0], **p)


MAKERS = {
    "AWS::IAM::Role": ("iam", make_role),
    "AWS::IAM::ManagedPolicy": ("iam", lambda c, p: c.create_policy(PolicyName=p["ManagedPolicyName"], PolicyDocument=json.dumps(p["PolicyDocument"]))),
    "AWS::IAM::User": ("iam", make_user),
    "AWS::KMS::Key": ("kms", make_key),
    "AWS::KMS::Alias": ("kms", make_alias),
    "AWS::SQS::Queue": ("sqs", make_queue),
    "AWS::SQS::QueuePolicy": ("sqs", make_queue_policy),
    "AWS::SNS::Topic": ("sns", lambda c, p: c.create_topic(Name=p["TopicName"], Attributes={"KmsMasterKeyId": p["KmsMasterKeyId"]})),
    "AWS::SNS::Subscription": ("sns", lambda c, p: c.subscribe(**p)),
    "AWS::DynamoDB::Table": ("dynamodb", make_table),
    "AWS::Kinesis::Stream": ("kinesis", make_stream),
    "AWS::S3::Bucket": ("s3", make_bucket),
    "AWS::S3::BucketPolicy": ("s3", lambda c, p: c.put_bucket_policy(Bucket=p["Bucket"], Policy=json.dumps(p["PolicyDocument"]))),
    "AWS::Lambda::Function": ("lambda", make_function),
    "AWS::Logs::LogGroup": ("logs", make_group),
    "AWS::Lambda::Permission": ("lambda", make_permission),
    "AWS::Events::Rule": ("events", make_rule),
    "AWS::Lambda::EventSourceMapping": ("lambda", lambda c, p: c.create_event_source_mapping(**p)),
    "AWS::Lambda::EventInvokeConfig": ("lambda", lambda c, p: c.put_function_event_invoke_config(**p)),
    "AWS::Lambda::Version": ("lambda", lambda c, p: c.publish_version(**p)),
    "AWS::Lambda::Alias": ("lambda", lambda c, p: c.create_alias(**p)),
}

# What others name has to be there before them.
ORDER = ["AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::KMS::Key", "AWS::KMS::Alias"]
DEAD = ["DeadQueue"]


def main():
    for region in REGIONS:
        resources = estate(region)
        clients = {service: client(service, region) for service, _ in MAKERS.values()}

        def rank(item):
            logical, (kind, _) = item
            return (ORDER.index(kind) if kind in ORDER else len(ORDER), logical not in DEAD)

        template = {}
        for logical, (kind, properties) in sorted(resources.items(), key=rank):
            service, make = MAKERS[kind]
            make(clients[service], properties)
            template[logical] = {"Type": kind, "Properties": properties}
        with open(f"{FOLDER}/{region}.json", "w") as f:
            json.dump({"AWSTemplateFormatVersion": "2010-09-09", "Resources": template}, f, indent=1)


main()
