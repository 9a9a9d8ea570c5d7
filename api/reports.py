"""Weekly reports over JSON: being written."""

from fastapi import APIRouter

router = APIRouter()
