"""Writes what AWS's SAM translator makes of every template here, or in the
folder that is named, to NAME.json.

Needs the packages aws-sam-translator (1.110.0) and boto3; calls nothing at AWS.
"""

import glob
import json
import os
import sys

os.environ["AWS_DEFAULT_REGION"] = "us-east-1"

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

for name in sorted(glob.glob(os.path.join(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(__file__) or ".", "*.yaml"))):
    with open(name) as f:
        template = yaml_parse(f.read())
    parameters = {
        key: p["Default"] for key, p in (template.get("Parameters") or {}).items() if "Default" in p
    }
    parameters |= {"AWS::Region": "us-east-1", "AWS::Partition": "aws"}
    session = boto3.session.Session(region_name="us-east-1")
    expanded = Translator({}, Parser(), boto_session=session).translate(template, parameters)
    with open(name.removesuffix(".yaml") + ".json", "w") as f:
        json.dump(expanded, f, separators=(",", ":"), sort_keys=True)
        f.write("\n")
